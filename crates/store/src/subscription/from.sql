-- PREWHERE comes before FINAL: it may name columns of the sort key alone, which all copies of a row share. The dates also
-- choose the partitions.
FROM usage_events FINAL
PREWHERE customer IN {customers:Array(String)} AND subscription = {subscription:String}
    AND toDate32(billed_at) BETWEEN toDate32({first_date:Int32}) AND toDate32({last_date:Int32})
WHERE usage_end BETWEEN fromUnixTimestamp64Micro({from:Int64}, 'UTC') AND fromUnixTimestamp64Micro({to:Int64}, 'UTC')

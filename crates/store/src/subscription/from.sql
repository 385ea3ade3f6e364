-- PREWHERE comes before FINAL: it may choose by the sort key alone, which all copies of a row share. The bounds of billed_at
-- are whole UTC dates, as the key has them; written like this they choose parts at the least cost.
FROM usage_events FINAL
PREWHERE subscription = {subscription:String}
    AND billed_at BETWEEN fromUnixTimestamp64Micro({date_begin:Int64}, 'UTC') AND fromUnixTimestamp64Micro({date_end:Int64}, 'UTC')

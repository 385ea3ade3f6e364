-- Dates of a page that have a mark and are not clean: the same decision as that of the reader.
SELECT customer, subscription, date, newest_mark, scanned_at
FROM
(
    SELECT
        customer, subscription, date,
        toUnixTimestamp64Nano(maxIf(at, kind = 'mark')) AS newest_mark,
        toUnixTimestamp64Nano(maxIf(at, kind = 'header')) AS scanned_at,
        toUnixTimestamp64Nano(maxIf(mark, kind = 'header')) AS known_mark,
        maxIf(records, kind = 'header') AS wanted,
        arrayCount(x -> x = scanned_at, groupArrayIf(toUnixTimestamp64Nano(at), kind = 'data')) AS found
    FROM usage_daily FINAL
    PREWHERE
        (customer > {after_customer:String}
            OR (customer = {after_customer:String} AND subscription > {after_subscription:String}))
        AND ({is_last:Bool} OR customer < {until_customer:String}
            OR (customer = {until_customer:String} AND subscription <= {until_subscription:String}))
        AND ({any_customer:Bool} OR customer = {customer:String})
        AND ({any_subscription:Bool} OR subscription = {subscription:String})
        AND date >= toDate32({from:Int32}) AND date <= toDate32({to:Int32})
    GROUP BY customer, subscription, date
)
WHERE newest_mark > 0 AND newest_mark <= {marked_until:Int64}
    AND NOT (known_mark = newest_mark AND scanned_at > newest_mark + {margin:Int64} AND found = wanted)

(
    SELECT customer, subscription, toDate32(billed_at) AS date
    FROM usage_events
    WHERE toDate32(billed_at) >= toDate32({from:Int32}) AND toDate32(billed_at) <= toDate32({to:Int32})
        AND ({any_customer:Bool} OR customer = {customer:String})
        AND ({any_subscription:Bool} OR subscription = {subscription:String})
    UNION DISTINCT
    SELECT customer, subscription, date
    FROM usage_daily
    WHERE date >= toDate32({from:Int32}) AND date <= toDate32({to:Int32})
        AND ({any_customer:Bool} OR customer = {customer:String})
        AND ({any_subscription:Bool} OR subscription = {subscription:String})
)

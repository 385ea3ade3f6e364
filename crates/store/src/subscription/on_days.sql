    AND (customer != '' OR arrayExists(
        (from_day, to_day) -> toInt32(billing_day) >= from_day AND toInt32(billing_day) < to_day,
        {from_days:Array(Int32)}, {to_days:Array(Int32)}))

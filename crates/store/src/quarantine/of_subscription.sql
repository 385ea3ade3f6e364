  AND (record_key = {subscription:String} OR has(
      arrayConcat(
          [JSONExtractString(raw, 'SubscriptionReference'), JSONExtractString(raw, 'data', 'SubscriptionReference')],
          arrayMap(
              usage -> JSONExtractString(usage, 'SubscriptionReference'),
              arrayConcat(JSONExtractArrayRaw(raw, 'Usages'), JSONExtractArrayRaw(raw, 'data', 'Usages')))),
      {subscription:String}))

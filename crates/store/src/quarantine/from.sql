FROM rejects FINAL
WHERE (empty({reasons:Array(String)}) OR reason IN {reasons:Array(String)})
  AND toUnixTimestamp64Milli(record_time) >= {from:Int64}
  AND toUnixTimestamp64Milli(record_time) < {to:Int64}
  AND ({partition:Int32} < 0 OR partition = {partition:Int32})
  AND ({state:String} = 'all' OR (replay_outcome IN ('stored', 'duplicate')) = ({state:String} = 'replayed'))

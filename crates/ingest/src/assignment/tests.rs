use meterhouse_store::ResumePoint;

use super::*;
use crate::progress::PartitionProgress;

fn record(offset: i64) -> LastRecord {
    LastRecord { offset, timestamp_ms: 1000, hash: 5 }
}

/// Partitions that begin at positions.
fn starts(positions: &[(i32, i64)]) -> Vec<Start> {
    let start = |(partition, position): &(i32, i64)| Start {
        partition: *partition,
        point: ResumePoint { epoch: 2, position: *position, last_record: None, topic_id: 0 },
        verdict: Verdict::GoOn,
    };
    positions.iter().map(start).collect()
}

fn progress(assignment: u64, positions: &[(i32, i64)]) -> Progress {
    let mut progress = Progress::new(assignment, TopicId::NONE);
    for (partition, next_position) in positions {
        let stored = PartitionProgress {
            epoch: 0,
            from_position: 0,
            next_position: *next_position,
            resumed_at: 0,
            stored: 1,
            rejected: 0,
            amended: 0,
            deleted: 0,
            last_record: record(next_position - 1),
            newest_ms: Some(1000),
            oldest_ms: Some(1000),
        };
        progress.partitions.insert(*partition, stored);
    }
    progress
}

fn committed(list: &TopicPartitionList) -> Vec<(i32, Offset)> {
    list.elements().iter().map(|element| (element.partition(), element.offset())).collect()
}

#[test]
fn what_was_read_under_an_earlier_assignment_is_not_committed() {
    let mut assignment = Assignment::default();
    assignment.begin(TopicId::NONE, &starts(&[(0, 0), (1, 5)]));
    let early = progress(assignment.number(), &[(0, 3), (1, 7)]);
    assert_eq!(committed(&assignment.advance(&early, "t")), [(0, Offset::Offset(3)), (1, Offset::Offset(7))]);
    assignment.end();
    assert_eq!(committed(&assignment.advance(&early, "t")), []);
    assignment.begin(TopicId::NONE, &starts(&[(0, 3)]));
    assert_eq!(committed(&assignment.advance(&early, "t")), []);
    let now = progress(assignment.number(), &[(0, 4), (1, 9)]);
    assert_eq!(committed(&assignment.advance(&now, "t")), [(0, Offset::Offset(4))]);
}

#[test]
fn lag_counts_what_is_not_stored() {
    let mut assignment = Assignment::default();
    assignment.begin(TopicId::NONE, &starts(&[(0, 10), (1, 0), (2, 0)]));
    assignment.advance(&progress(1, &[(0, 12)]), "t");
    let end = |partition| (partition < 2).then_some(20);
    assert_eq!(assignment.lags(end, 3500), [(0, 8, 2.5), (1, 20, 0.0)]);
    assignment.note_read(&progress(1, &[(0, 13), (1, 1)]));
    assert_eq!(assignment.lags(end, 3000), [(0, 8, 2.0), (1, 20, 2.0)]);
    assert_eq!(assignment.lags(|_| Some(12), 3500)[0], (0, 0, 0.0));
    let mut positions = TopicPartitionList::new();
    positions.add_partition_offset("t", 0, Offset::Offset(20)).unwrap();
    assignment.note_positions(&positions);
    assert_eq!(assignment.lags(end, 3500)[0], (0, 0, 0.0));
    assert_eq!(
        committed(&assignment.offsets("t")),
        [(0, Offset::Offset(12)), (1, Offset::Offset(0)), (2, Offset::Offset(0))],
        "a position is not stored"
    );
}

#[test]
fn a_stopped_partition_says_why_until_the_next_assignment() {
    let mut assignment = Assignment::default();
    assert!(assignment.readiness("t").is_err());
    assignment.begin(TopicId::NONE, &starts(&[(3, 0)]));
    assert_eq!(assignment.readiness("t"), Ok(()));
    assert!(assignment.stop(3, "cut".to_owned()));
    assert!(!assignment.stop(3, "again".to_owned()) && !assignment.stop(4, "not ours".to_owned()));
    assert_eq!(assignment.readiness("t"), Err("t/3 stopped: again".to_owned()));
    assert_eq!((assignment.stopped(), assignment.stopped_epochs()), (1, vec![(3, 2)]));
    assert_eq!(assignment.admit(3, record(0)), Admission::Ignored);
    let stopped = Start { verdict: Verdict::Stopped("other log".to_owned()), ..starts(&[(4, 7)])[0].clone() };
    assignment.begin(TopicId::NONE, &[starts(&[(3, 0)])[0].clone(), stopped]);
    assert_eq!(assignment.readiness("t"), Err("t/4 stopped: other log".to_owned()));
    assert_eq!(assignment.admit(4, record(7)), Admission::Ignored);
    assert!(matches!(assignment.admit(3, record(0)), Admission::Read(_)));
    assert_eq!(assignment.admit(5, record(0)), Admission::Ignored, "not ours");
}

#[test]
fn each_record_follows_the_one_before() {
    let mut assignment = Assignment::default();
    assignment.begin(TopicId::NONE, &starts(&[(0, 10)]));
    let reading =
        |position, resumed_at, record| Admission::Read(Reading { epoch: 2, position, resumed_at, record });
    assert_eq!(assignment.admit(0, record(10)), reading(10, 10, record(10)));
    assert_eq!(assignment.admit(0, record(14)), reading(11, 10, record(14)), "there are holes");
    assignment.advance(&progress(1, &[(0, 15)]), "t");
    assert_eq!(assignment.admit(0, record(15)), reading(15, 15, record(15)));
    for earlier in [15, 0] {
        assert!(matches!(assignment.admit(0, record(earlier)), Admission::Refused(_)), "{earlier}");
    }
}

#[test]
fn nothing_is_read_before_the_last_accounted_record_has_come_again() {
    let begun = |verdict| {
        let mut assignment = Assignment::default();
        assignment.begin(TopicId::NONE, &[Start { verdict, ..starts(&[(0, 10)])[0].clone() }]);
        assignment
    };
    let mut assignment = begun(Verdict::Reread(record(9)));
    assert!(assignment.awaits_record(0) && !assignment.awaits_record(1));
    assert!(assignment.readiness("t").is_err_and(|why| why.contains("t/0 waits for")));
    assert_eq!(assignment.admit(0, record(9)), Admission::Known);
    assert_eq!(assignment.readiness("t"), Ok(()));
    assert!(matches!(assignment.admit(0, record(10)), Admission::Read(_)));

    let others = [
        LastRecord { hash: 6, ..record(9) },
        LastRecord { timestamp_ms: 1001, ..record(9) },
        record(10),
        record(8),
    ];
    for other in others {
        let admission = begun(Verdict::Reread(record(9))).admit(0, other);
        assert!(matches!(admission, Admission::Refused(why) if why.contains("record at offset 9")));
    }
}

use std::os::unix::fs::symlink;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::super::content::CLOCK_STEP_MAX;
use super::*;

/// A file whose text is a word, and no number.
fn word() -> Kind<String> {
    Kind::new("catalog", Vanished::KeepsLast, parse_word)
}

fn secret() -> Kind<String> {
    Kind::new("credentials", Vanished::Empties, parse_word)
}

/// Words, each in a file beside the one that lists them.
fn words() -> Kind<String> {
    Kind::new("credentials", Vanished::Empties, parse_words)
}

fn parse_words(path: &Path, text: &str, beside: &mut Beside) -> Result<String, Vec<FileProblem>> {
    let words: Vec<_> = text.split_whitespace().map(|name| beside.text(name)).collect();
    let words: Result<Vec<_>, _> = words.into_iter().collect();
    words.map(|words| words.join(" ")).map_err(|why| vec![FileProblem::new(path, Some(1), &why)])
}

fn parse_word(path: &Path, text: &str, _: &mut Beside) -> Result<String, Vec<FileProblem>> {
    match text.parse::<u32>() {
        Ok(_) => Err(vec![FileProblem::new(path, Some(1), "a number")]),
        Err(_) => Ok(text.to_owned()),
    }
}

struct Scene {
    folder: TempDir,
    path: PathBuf,
    watched: Watched<String>,
    latest: watch::Receiver<Arc<String>>,
    registry: prometheus::Registry,
    metrics: FileMetrics,
}

impl Scene {
    fn new(kind: Kind<String>, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.toml");
        fs::write(&path, text).unwrap();
        for name in ["a", "b"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let watched = Watched::load(kind, Some(&path)).unwrap();
        let latest = watched.subscribe();
        let registry = prometheus::Registry::new();
        let metrics = FileMetrics::register(&registry).unwrap();
        Self { folder, path, watched, latest, registry, metrics }
    }

    fn look(&mut self) -> String {
        self.watched.look(&self.metrics);
        self.latest.borrow().to_string()
    }

    fn look_twice(&mut self) -> String {
        self.look();
        self.look()
    }

    fn metric(&self, line: &str) -> bool {
        let text = prometheus::TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        text.lines().any(|found| found == line)
    }
}

#[test]
fn a_change_counts_at_the_second_look() {
    let mut scene = Scene::new(word(), "one");
    assert_eq!(scene.look_twice(), "one");
    fs::write(&scene.path, "two").unwrap();
    assert_eq!(scene.look(), "one");
    assert_eq!(scene.look(), "two");
    assert!(scene.metric("meterhouse_file_loads_total{file=\"catalog\",outcome=\"loaded\"} 1"));
}

#[test]
fn what_is_there_for_one_look_alone_does_not_count() {
    let mut scene = Scene::new(secret(), "one");
    fs::write(&scene.path, "").unwrap();
    assert_eq!(scene.look(), "one");
    fs::remove_file(&scene.path).unwrap();
    assert_eq!(scene.look(), "one");
    fs::write(&scene.path, "two").unwrap();
    assert_eq!(scene.look(), "one");
    assert_eq!(scene.look(), "two");
}

#[test]
fn a_change_of_the_same_length_within_the_clock_s_step_is_seen() {
    let mut scene = Scene::new(word(), "a");
    for text in ["b", "c", "d", "e"] {
        fs::write(&scene.path, text).unwrap();
        assert_eq!(scene.look_twice(), text);
    }
}

#[test]
fn a_wrong_file_changes_nothing_until_it_is_right() {
    let mut scene = Scene::new(word(), "one");
    fs::write(&scene.path, "1").unwrap();
    assert_eq!(scene.look_twice(), "one");
    assert!(scene.metric("meterhouse_file_stale{file=\"catalog\"} 1"));
    assert!(scene.metric("meterhouse_file_loads_total{file=\"catalog\",outcome=\"failed\"} 1"));
    assert_eq!(scene.look_twice(), "one");
    assert!(scene.metric("meterhouse_file_loads_total{file=\"catalog\",outcome=\"failed\"} 1"));
    fs::write(&scene.path, "one").unwrap();
    assert_eq!(scene.look_twice(), "one");
    assert!(scene.metric("meterhouse_file_stale{file=\"catalog\"} 0"));
}

#[test]
fn a_catalog_that_vanishes_stays_and_credentials_do_not() {
    let mut catalog = Scene::new(word(), "one");
    fs::remove_file(&catalog.path).unwrap();
    assert_eq!(catalog.look_twice(), "one");
    assert!(catalog.metric("meterhouse_file_stale{file=\"catalog\"} 1"));

    let mut credentials = Scene::new(secret(), "one");
    fs::remove_file(&credentials.path).unwrap();
    assert_eq!(credentials.look_twice(), "");
    assert_eq!(credentials.watched.missing(), Some(credentials.path.as_path()));
    fs::write(&credentials.path, "two").unwrap();
    assert_eq!(credentials.look_twice(), "two");
    assert_eq!(credentials.watched.missing(), None);
}

#[test]
fn a_renamed_file_and_a_switched_link_are_seen() {
    let mut scene = Scene::new(word(), "one");
    let other = scene.folder.path().join("other");
    fs::write(&other, "two").unwrap();
    fs::rename(&other, &scene.path).unwrap();
    assert_eq!(scene.look_twice(), "two");

    // As Kubernetes does: file -> ..data/file, ..data -> a folder with a date, which is switched in one step.
    let folder = scene.folder.path().to_owned();
    for (version, text) in [("v1", "three"), ("v2", "four")] {
        fs::create_dir(folder.join(version)).unwrap();
        fs::write(folder.join(version).join("file.toml"), text).unwrap();
    }
    symlink("v1", folder.join("..data")).unwrap();
    fs::remove_file(&scene.path).unwrap();
    symlink("..data/file.toml", &scene.path).unwrap();
    assert_eq!(scene.look_twice(), "three");
    symlink("v2", folder.join("next")).unwrap();
    fs::rename(folder.join("next"), folder.join("..data")).unwrap();
    assert_eq!(scene.look_twice(), "four");
}

#[test]
fn a_file_that_has_rested_is_not_read_again() {
    let mut scene = Scene::new(word(), "one");
    let rested = SystemTime::now() - CLOCK_STEP_MAX * 2;
    let mut stamp = Stamp::of(&fs::metadata(&scene.path).unwrap());
    assert!(!stamp.is_old());
    let seconds = rested.duration_since(UNIX_EPOCH).unwrap().as_secs();
    (stamp.modified, stamp.changed) =
        ((i64::try_from(seconds).unwrap(), 0), (i64::try_from(seconds).unwrap(), 0));
    assert!(stamp.is_old());
    scene.look();
    assert_eq!(scene.watched.settled, None);
    scene.watched.settled = Some(vec![Stamp::of(&fs::metadata(&scene.path).unwrap())]);
    scene.watched.judged.file = Content::Missing;
    assert_eq!(scene.look_twice(), "one");
    assert_eq!(scene.watched.judged.file, Content::Missing);
}

#[test]
fn a_change_beside_a_file_counts_at_the_second_look() {
    let mut scene = Scene::new(words(), "a b");
    assert_eq!(scene.look_twice(), "a b");
    fs::write(scene.folder.path().join("b"), "B").unwrap();
    assert_eq!(scene.look(), "a b");
    assert_eq!(scene.look(), "a B");
    assert!(scene.metric("meterhouse_file_loads_total{file=\"credentials\",outcome=\"loaded\"} 1"));
    fs::write(scene.folder.path().join("b"), "half").unwrap();
    assert_eq!(scene.look(), "a B");
    fs::write(scene.folder.path().join("b"), "whole").unwrap();
    assert_eq!(scene.look(), "a B");
    assert_eq!(scene.look(), "a whole");
}

#[test]
fn a_change_beside_a_file_that_has_rested_is_seen() {
    let mut scene = Scene::new(words(), "a b");
    scene.look();
    scene.watched.settled = scene.watched.stamps(&scene.path);
    assert_eq!(scene.watched.settled.as_ref().map(Vec::len), Some(3));
    fs::write(scene.folder.path().join("a"), "another").unwrap();
    assert_eq!(scene.look_twice(), "another b");
    scene.watched.settled = scene.watched.stamps(&scene.path);
    fs::remove_file(scene.folder.path().join("a")).unwrap();
    scene.look_twice();
    assert!(scene.metric("meterhouse_file_stale{file=\"credentials\"} 1"));
}

#[test]
fn a_missing_file_beside_a_file_is_a_mistake_until_it_is_there_again() {
    let mut scene = Scene::new(words(), "a b");
    let beside = scene.folder.path().join("b");
    for spoil in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| fs::create_dir(path).unwrap()] {
        spoil(&beside);
        assert_eq!(scene.look_twice(), "a b");
        assert!(scene.metric("meterhouse_file_stale{file=\"credentials\"} 1"));
        assert_eq!(scene.watched.missing(), None);
    }
    fs::remove_dir(&beside).unwrap();
    fs::write(&beside, "again").unwrap();
    assert_eq!(scene.look_twice(), "a again");
    assert!(scene.metric("meterhouse_file_stale{file=\"credentials\"} 0"));
}

#[test]
fn a_file_beside_a_file_is_looked_at_as_long_as_it_is_named() {
    let mut scene = Scene::new(words(), "a");
    fs::write(&scene.path, "b").unwrap();
    assert_eq!(scene.look_twice(), "b");
    fs::write(scene.folder.path().join("a"), "other").unwrap();
    assert_eq!(scene.look_twice(), "b");
    assert!(scene.metric("meterhouse_file_loads_total{file=\"credentials\",outcome=\"loaded\"} 1"));
    fs::write(scene.folder.path().join("b"), "B").unwrap();
    assert_eq!(scene.look_twice(), "B");
    // To delete the file itself empties it, whatever it has named.
    fs::remove_file(&scene.path).unwrap();
    assert_eq!(scene.look_twice(), "");
}

#[test]
fn what_cannot_be_used_at_the_start_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = |kind, path: &Path| match Watched::load(kind, Some(path)) {
        Ok(_) => panic!("loaded"),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
    };
    let missing = folder.path().join("missing.toml");
    assert!(wrong(word(), &missing)[0].ends_with("missing.toml: there is no such file"));
    assert!(Watched::load(secret(), Some(&missing)).is_ok_and(|watched| watched.missing().is_some()));
    assert!(wrong(secret(), folder.path())[0].ends_with("it is no regular file"));
    let path = folder.path().join("file.toml");
    fs::write(&path, [0xff]).unwrap();
    assert!(wrong(secret(), &path)[0].ends_with("it is not UTF-8"));
    fs::write(&path, "1").unwrap();
    assert!(wrong(secret(), &path)[0].ends_with("file.toml:1: a number"));
    fs::write(&path, "a nowhere").unwrap();
    fs::write(folder.path().join("a"), "a").unwrap();
    assert!(wrong(words(), &path)[0].ends_with("file.toml:1: there is no such file"));
    fs::write(folder.path().join("nowhere"), "x".repeat(64 * 1024 + 1)).unwrap();
    assert!(wrong(words(), &path)[0].ends_with("file.toml:1: it has more than 65536 bytes"));
    assert!(Watched::load(word(), None).is_ok_and(|watched| watched.missing().is_none()));
}

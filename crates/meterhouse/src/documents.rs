//! The Markdown of the repository: every link leads somewhere, every command line is one that this program takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::cli::Cli;

/// Folders of what is built or downloaded. Those whose names begin with a dot are passed over, too.
const PASSED_OVER: [&str; 2] = ["target", "node_modules"];
/// Where a shell's command ends.
const ENDS: [&str; 7] = ["|", "||", "&&", "&", ";", ">", "2>"];

/// What one document says, each with its line.
#[derive(Debug, Default)]
struct Document {
    /// What its headings are linked by.
    anchors: BTreeSet<String>,
    /// Where links and pictures lead to.
    links: Vec<(usize, String)>,
    /// Lines of blocks of code for a shell.
    commands: Vec<(usize, String)>,
    /// Code within the text.
    mentions: Vec<(usize, String)>,
}

impl Document {
    fn read(text: &str) -> Self {
        let mut document = Self::default();
        let (mut heading, mut is_shell) = (None, false);
        let mut seen = BTreeMap::<String, usize>::new();
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            let line = 1 + text[..range.start].matches('\n').count();
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading.take().unwrap_or_default());
                    let count = seen.entry(anchor.clone()).or_default();
                    document.anchors.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
                    *count += 1;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push((line, dest_url.into_string()));
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    is_shell = ["console", "sh", "bash"].contains(&&*language);
                }
                Event::End(TagEnd::CodeBlock) => is_shell = false,
                Event::Text(code) if is_shell => document.commands.extend(commands(line, &code)),
                Event::Text(text) => heading.iter_mut().for_each(|heading| heading.push_str(&text)),
                Event::Code(code) => {
                    heading.iter_mut().for_each(|heading| heading.push_str(&code));
                    document.mentions.push((line, code.into_string()));
                }
                _ => {}
            }
        }
        document
    }
}

/// Lines of a block that run this program; a backslash at the end goes on in the next line.
fn commands(first: usize, code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = code.lines().zip(first..);
    while let Some((text, line)) = lines.next() {
        let mut command = text.trim_start().trim_start_matches("$ ").to_owned();
        while command.ends_with('\\') {
            command.pop();
            command += lines.next().map_or("", |(text, _)| text);
        }
        if command.starts_with("meterhouse ") {
            found.push((line, command));
        }
    }
    found
}

/// What GitHub links a heading by.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// All documents by path.
fn documents() -> BTreeMap<PathBuf, Document> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let (mut found, mut folders) = (BTreeMap::new(), vec![root]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if entry.file_type().unwrap().is_dir() {
                folders.extend((!name.starts_with('.') && !PASSED_OVER.contains(&&*name)).then_some(path));
            } else if name.ends_with(".md") {
                let document = Document::read(&fs::read_to_string(&path).unwrap());
                found.insert(path, document);
            }
        }
    }
    found
}

/// Why a link from a document leads nowhere.
fn check_link(from: &Path, link: &str, documents: &BTreeMap<PathBuf, Document>) -> Result<(), &'static str> {
    if ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
        return Ok(());
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { from.to_owned() } else { from.with_file_name("").join(path) };
    let Ok(target) = target.canonicalize() else { return Err("there is no such file") };
    match (anchor, documents.get(&target)) {
        (None, _) => Ok(()),
        (Some(anchor), Some(document)) if document.anchors.contains(anchor) => Ok(()),
        (Some(_), _) => Err("there is no such heading"),
    }
}

/// Why the program would not take a command; a mention may leave out what a command needs, and have words in the place of values.
fn check_command(command: &str, is_mention: bool) -> Result<(), String> {
    let words = shlex::split(command).ok_or("a quote is open")?;
    let words = words.into_iter().take_while(|word| !ENDS.contains(&&**word));
    let Err(error) = Cli::try_parse_from(words) else { return Ok(()) };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(()),
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::InvalidValue
        | ErrorKind::ValueValidation
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if is_mention =>
        {
            Ok(())
        }
        _ => Err(error.to_string()),
    }
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let mut wrong = Vec::new();
    for (path, document) in &documents {
        for (line, link) in &document.links {
            if let Err(why) = check_link(path, link, &documents) {
                wrong.push(format!("{}:{line}: {link}: {why}", path.display()));
            }
        }
    }
    assert!(documents.len() > 5 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_line_is_one_that_the_program_takes() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (path, document) in documents() {
        let commands = document.commands.iter().map(|command| (command, false));
        let mentions = document.mentions.iter().map(|mention| (mention, true));
        let of_ours = commands.chain(mentions).filter(|((_, text), _)| text.starts_with("meterhouse "));
        for ((line, command), is_mention) in of_ours {
            count += 1;
            if let Err(why) = check_command(command, is_mention) {
                wrong.push(format!("{}:{line}: {command}: {why}", path.display()));
            }
        }
    }
    assert!(count > 20 && wrong.is_empty(), "{count}\n{}", wrong.join("\n"));
}

#[test]
fn a_wrong_link_or_command_is_found() {
    let text = "# One `two`\n[a](x.md) [b](#one-two) ![c](d.png)\n```console\n$ meterhouse verify \\\n --json | jq # x\n\
                meterhouse token\n```\n`meterhouse ledger accept`\n";
    let document = Document::read(text);
    let line = |line, text: &str| (line, text.to_owned());
    assert_eq!(document.links, [line(2, "x.md"), line(2, "#one-two"), line(2, "d.png")]);
    assert_eq!(
        document.commands,
        [line(4, "meterhouse verify  --json | jq # x"), line(6, "meterhouse token")]
    );
    assert!(document.anchors.contains("one-two"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("x.md");
    let documents = BTreeMap::new();
    assert!(check_link(&path, "src/main.rs", &documents).is_ok());
    assert!(check_link(&path, "src/none.rs", &documents).is_err());
    assert!(check_link(&path, "src/main.rs#here", &documents).is_err());
    for command in ["meterhouse verify --json | jq .", "meterhouse --help", "meterhouse ingest # apart"] {
        assert_eq!(check_command(command, false), Ok(()));
    }
    assert!(check_command("meterhouse verify --jsn", true).is_err());
    assert!(check_command("meterhouse ledger accept", false).is_err());
    assert!(check_command("meterhouse ledger accept", true).is_ok());
    assert!(check_command("meterhouse rejects list --reason ...", true).is_ok());
    assert!(check_command("meterhouse rejects show PARTITION/OFFSET", true).is_ok());
    assert!(check_command("meterhouse rejects show PARTITION/OFFSET", false).is_err());
}

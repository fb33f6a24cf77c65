//! The words that `docs/style.md` does not use, looked for in the pages that are written by hand, and in the texts and
//! comments of the sources.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "style/source.rs"]
mod source;

use std::path::{Path, PathBuf};

const PAGES: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "ARCHITECTURE.md",
    "docs/guide.md",
    "docs/packaging.md",
    "docs/release.md",
    "docs/battery.md",
    "docs/trouble.md",
    "docs/detection.md",
    "docs/differences-from-nut.md",
    "captures/README.md",
    "power-test/README.md",
    "usb-test/README.md",
];

/// Sources that are not yet put right: folders of `crates`, or how the names of files begin. Take out what is clean.
const NOT_YET: &[&str] = &[];

fn text(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The first column of "Words we do not use": each entry is one word, or several in a row.
fn forbidden() -> Vec<Vec<String>> {
    let page = text("docs/style.md");
    let (_, table) = page.split_once("\n## Words we do not use\n").unwrap();
    let rows = table.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let cells = rows.map_while(|row| row.strip_prefix("| ")?.split_once(" |")).map(|(cell, _)| cell);
    let entries = cells.flat_map(|cell| cell.split(','));
    // a remark in parentheses is no part of the word
    let bare = entries.map(|entry| entry.split('(').next().unwrap_or_default());
    let words = |entry: &str| entry.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    bare.map(words).filter(|words| !words.is_empty()).collect()
}

/// Whether it is that word, also with an ending: mended, shaking, strangers.
fn is_form_of(said: &str, word: &str) -> bool {
    let stem = word.strip_suffix('e').unwrap_or(word);
    let endings = ["s", "es", "d", "ed", "t", "n", "en", "er", "ers", "ing"];
    let with_ending = |stem: &str| said.strip_prefix(stem).is_some_and(|end| endings.contains(&end));
    said == word || with_ending(word) || (stem != word && with_ending(stem))
}

/// A word with the number of its line, or what no phrase goes across: punctuation, a cell of a table, code.
type Token = Option<(usize, String)>;

/// The prose of a page. Code is left out: blocks, what stands between backticks (also over two lines) and
/// what a link points to.
fn prose(page: &str) -> Vec<Token> {
    let (mut tokens, mut fenced, mut block, mut blank, mut code) = (Vec::new(), false, false, true, false);
    for (at, line) in page.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        block = line.starts_with("    ") && (blank || block);
        blank = line.trim().is_empty();
        if fence || fenced || block || blank {
            tokens.push(None);
            code = false;
            continue;
        }
        // an odd backtick spoils nothing beyond its paragraph, row or item
        if line.starts_with(['|', '*', '-', '#']) {
            tokens.push(None);
            code = false;
        }
        let mut target = false;
        let mut word = String::new();
        let mut before = ' ';
        for letter in line.chars().chain([' ']) {
            if letter.is_alphanumeric() && !code && !target {
                word.extend(letter.to_lowercase());
            } else {
                if !word.is_empty() {
                    tokens.push(Some((at + 1, std::mem::take(&mut word))));
                }
                if letter == '`' {
                    code = !code;
                }
                if !letter.is_whitespace() {
                    tokens.push(None);
                }
                target = !code && ((before == ']' && letter == '(') || (target && letter != ')'));
            }
            before = letter;
        }
    }
    tokens
}

fn findings(name: &str, page: &str, forbidden: &[Vec<String>]) -> Vec<String> {
    let tokens = prose(page);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        for phrase in forbidden {
            let said: Vec<&(usize, String)> =
                tokens[at..].iter().take(phrase.len()).map_while(Option::as_ref).collect();
            let alike = |((_, said), word): (&&(usize, String), &String)| match phrase.len() {
                1 => is_form_of(said, word),
                _ => said == word || *said == word.trim_end_matches('s'),
            };
            if said.len() == phrase.len() && said.iter().zip(phrase).all(alike) {
                found.push(format!("{name}:{}: '{}'", said[0].0, phrase.join(" ")));
            }
        }
    }
    found
}

#[test]
fn the_pages_use_none_of_the_words_that_the_style_forbids() {
    let forbidden = forbidden();
    assert!(forbidden.len() > 10, "{forbidden:?}");
    let mut found = Vec::new();
    for page in PAGES {
        found.extend(findings(page, &text(page), &forbidden));
    }
    assert!(found.is_empty(), "docs/style.md says what to write instead:\n{}", found.join("\n"));
}

/// Every file of Rust below that folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.extension() {
            Some(extension) if extension == "rs" => found.push(path),
            _ if path.is_dir() => found.extend(sources(&path)),
            _ => {}
        }
    }
    found.sort();
    found
}

#[test]
fn the_sources_use_none_of_them_either() {
    let (forbidden, mut found, mut read) = (forbidden(), Vec::new(), 0);
    let mut soiled = vec![0; NOT_YET.len()];
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for path in sources(crates) {
        let name = path.strip_prefix(crates).unwrap().to_str().unwrap();
        if !name.split('/').any(|part| part == "src")
            || name.ends_with("tests.rs")
            || name.contains("/tests/")
        {
            continue;
        }
        read += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let here = findings(name, &source::texts(&text), &forbidden);
        match NOT_YET.iter().position(|part| name.starts_with(part)) {
            Some(at) => soiled[at] += here.len(),
            None => found.extend(here),
        }
    }
    assert!(read > 250, "{read} files");
    assert!(found.is_empty(), "docs/style.md says what to write instead:\n{}", found.join("\n"));
    let clean: Vec<_> = NOT_YET.iter().zip(soiled).filter(|(_, count)| *count == 0).collect();
    assert!(clean.is_empty(), "clean: take it out of NOT_YET: {clean:?}");
}

#[test]
fn of_a_source_texts_and_comments_are_read_and_nothing_else() {
    let forbidden = forbidden();
    let count = |text: &str| findings("source", &source::texts(text), &forbidden).len();
    for wrong in [
        "// nobody",
        "let x = 1; // and mend",
        "/// It is told\n    /// to leave.",
        "fn f() { g(\"by nobody\") }",
        "\"it was \\\n     told to leave\"",
        "r#\"a \"stranger\" here\"#",
        "('\"', \"by nobody\")",
        "f::<'a>(\"by nobody\")",
        "/* nobody */",
        "\"{nobody} is to mend\"",
    ] {
        assert_eq!(count(wrong), 1, "{wrong}");
    }
    for fine in [
        "let nobody = mend(stranger);",
        "// as user `nobody`",
        "\"{nobody}\"",
        "b\"by nobody\"",
        "user(\"nobody\")",
        "\"of\"; \"old\"",
        "/// ```\n/// mend(nobody);\n/// ```",
        "\"a\\\"\"; nobody",
        "'\\''; nobody; '\"'; mend",
        "fn f() {}\n#[cfg(test)]\nmod tests { // nobody\n}",
    ] {
        assert_eq!(count(fine), 0, "{fine}");
    }
}

#[test]
fn words_are_found_with_endings_and_over_lines_but_not_in_code() {
    let forbidden = forbidden();
    let count = |page: &str| findings("page", page, &forbidden).len();
    for wrong in [
        "Nobody's port.",
        "It was mended.",
        "| a cell | strangers |",
        "Shaking it.",
        "It met with\nsilence.",
        "It is **told to leave**.",
        "* belongs into it",
        "* an odd `backtick\n* mend",
        "[a sister](x.md)",
    ] {
        assert_eq!(count(wrong), 1, "{wrong}");
    }
    for fine in [
        "`nobody`",
        "`cargo test\nmend`",
        "```\nmend\n```",
        "Text:\n\n    mend it\n    nobody\n",
        "[a file](stranger.rs)",
        "recommend, amend",
        "a kind of. Old ones",
        "a trustee",
    ] {
        assert_eq!(count(fine), 0, "{fine}");
    }
}

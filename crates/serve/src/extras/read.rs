//! Values of a TOML file, each with its line; what is wrong is collected.

use station::config::{LineFinding, nearest};
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that is read, and what was found wrong so far.
pub(super) struct TomlReader<'t> {
    text: &'t str,
    root: DeTable<'t>,
    findings: Vec<LineFinding>,
}

impl<'t> TomlReader<'t> {
    /// Reads a whole file.
    ///
    /// # Errors
    /// What is no TOML.
    pub fn of(bytes: &'t [u8]) -> Result<TomlReader<'t>, Vec<LineFinding>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = line_of(bytes, error.valid_up_to());
            vec![LineFinding::error(Some(line), "this is no UTF-8 text: save the file as UTF-8".into())]
        })?;
        match DeTable::parse(text) {
            Ok(root) => Ok(TomlReader { text, root: root.into_inner(), findings: vec![] }),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let why = error.message().replace('\n', "; ");
                let said = format!("{why}; write name = value below a [table], as TOML has it");
                Err(vec![LineFinding::error(Some(line_of(bytes, at)), said)])
            }
        }
    }

    /// The end of the reading.
    ///
    /// # Errors
    /// All that was found wrong.
    pub fn finish(mut self) -> Result<(), Vec<LineFinding>> {
        self.findings.sort_by_key(|finding| finding.line);
        if self.findings.is_empty() { Ok(()) } else { Err(self.findings) }
    }

    /// The names at the top of the file.
    pub fn tables(&self) -> Vec<String> {
        self.root.iter().map(|(key, _)| key.get_ref().to_string()).collect()
    }

    /// Refuses all at the top of the file that is none of these tables.
    pub fn check_tables(&mut self, known: &[&str], arrays: &[&str]) {
        let mut wrong = vec![];
        for (key, value) in &self.root {
            let (name, is_table) = (key.get_ref().as_ref(), matches!(value.get_ref(), DeValue::Table(_)));
            let is_one = |item: &Spanned<DeValue<'_>>| item.get_ref().as_table().is_some();
            let are_tables = value.get_ref().as_array().is_some_and(|items| items.iter().all(is_one));
            let said = match known.contains(&name) {
                true if arrays.contains(&name) && are_tables => continue,
                true if arrays.contains(&name) => {
                    format!("{name} may stand several times: write [[{name}]], and its keys below")
                }
                true if is_table => continue,
                true => format!("{name} is a table: write [{name}], and its keys below"),
                false if is_table || are_tables => {
                    format!("there is no table [{}]: {}", shown(name), meant(name, known))
                }
                false => {
                    format!("{} stands in no table: write it below [{}]", shown(name), known.join("] or ["))
                }
            };
            wrong.push((key.span(), said));
        }
        wrong.into_iter().for_each(|(span, said)| self.wrong(span, said));
    }

    /// Refuses all keys of a table but these.
    pub fn check_keys(&mut self, table: &str, known: &[&str]) {
        let keys = self.table(table).into_iter().flatten().map(|(key, _)| key);
        let unknown = keys.filter(|key| !known.contains(&key.get_ref().as_ref()));
        let wrong: Vec<_> = unknown
            .map(|key| {
                let name = key.get_ref();
                (key.span(), format!("{} has no key {}: {}", heading(table), shown(name), meant(name, known)))
            })
            .collect();
        wrong.into_iter().for_each(|(span, said)| self.wrong(span, said));
    }

    /// `true` or `false`.
    pub fn flag(&mut self, table: &str, key: &str) -> Option<bool> {
        let (span, value) = self.value(table, key)?;
        let flag = value.as_bool();
        self.or_wrong(flag, span, || format!("{key} is on or off: write {key} = true, or false"))
    }

    /// A whole number within bounds.
    pub fn number(&mut self, table: &str, key: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let (span, value) = self.value(table, key)?;
        let number =
            value.as_integer().and_then(|digits| u64::from_str_radix(digits.as_str(), digits.radix()).ok());
        let (least, most) = (*bounds.start(), *bounds.end());
        self.or_wrong(number.filter(|number| bounds.contains(number)), span, || {
            format!("{key} is a whole number: write {key} = {least} to {most}, without quotes")
        })
    }

    /// A text that is not empty.
    pub fn text(&mut self, table: &str, key: &str, wanted: &str) -> Option<String> {
        let (span, value) = self.value(table, key)?;
        let text = value.as_str().filter(|text| !text.is_empty() && !text.contains('\0')).map(String::from);
        self.or_wrong(text, span, || format!("{key} is no text that can be used: write {wanted}"))
    }

    /// A list of texts, each of which has to mean something.
    pub fn each_text<T>(
        &mut self,
        table: &str,
        key: &str,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let Some((span, value)) = self.value(table, key) else { return vec![] };
        let items = value.as_array().map(|items| {
            let each = items.iter().map(|item| item.get_ref().as_str().and_then(&read).ok_or(item.span()));
            each.collect::<Vec<_>>()
        });
        let items = self.or_wrong(items, span, || format!("{key} is no list: write {wanted}"));
        let mut taken = vec![];
        for item in items.into_iter().flatten() {
            match item {
                Ok(item) => taken.push(item),
                Err(span) => {
                    self.wrong(span, format!("{key} has an entry that cannot be used: write {wanted}"))
                }
            }
        }
        taken
    }

    /// The keys of a table inside of a table, each with a text that has to mean something.
    pub fn each_pair<T>(
        &mut self,
        table: &str,
        key: &str,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<(String, T)> {
        let Some((span, value)) = self.value(table, key) else { return vec![] };
        let pairs = value.as_table().map(|pairs| {
            let each = pairs.iter().map(|(name, value)| {
                let read = value.get_ref().as_str().and_then(&read);
                (name.get_ref().to_string(), value.span(), read)
            });
            each.collect::<Vec<_>>()
        });
        let pairs = self
            .or_wrong(pairs, span, || format!("{key} is a table: write [{table}.{key}], and {wanted} below"));
        let mut taken = vec![];
        for (name, span, read) in pairs.into_iter().flatten() {
            match read {
                Some(read) => taken.push((name, read)),
                None => self.wrong(span, format!("{} cannot be used: write {wanted}", shown(&name))),
            }
        }
        taken
    }

    /// Refuses a table because of what it lacks; not where a key is wrong that may be what is missing.
    pub fn refuse_table(&mut self, table: &str, said: &str) {
        let found = self.root.iter().find(|(key, _)| key.get_ref() == table).map(|(key, _)| key.span());
        if let Some(span) = found.filter(|_| self.findings.is_empty()) {
            self.wrong(span, said.into());
        }
    }

    /// Refuses a value that was read already.
    pub fn refuse(&mut self, table: &str, key: &str, said: &str) {
        if let Some((span, _)) = self.value(table, key) {
            self.wrong(span, said.into());
        }
    }

    /// The names in a table, in the order of the alphabet.
    pub fn names(&self, table: &str) -> Vec<String> {
        self.table(table).into_iter().flatten().map(|(key, _)| key.get_ref().to_string()).collect()
    }

    /// How often a `[[table]]` stands in the file; they are called `table.0` and so on.
    pub fn count(&self, array: &str) -> usize {
        let found = self.root.iter().find(|(key, _)| key.get_ref() == array);
        found.and_then(|(_, value)| value.get_ref().as_array()).map_or(0, |items| items.len())
    }

    /// How many entries a list has, whatever they are.
    pub fn length(&self, table: &str, key: &str) -> usize {
        let value = self.value(table, key);
        value.and_then(|(_, value)| value.as_array().map(|items| items.len())).unwrap_or(0)
    }

    /// Whether a table has a key.
    pub fn has(&self, table: &str, key: &str) -> bool {
        self.value(table, key).is_some()
    }

    /// A table that has to have this key.
    pub fn lacks(&mut self, table: &str, said: String) {
        let span = self.span_of(table);
        self.wrong(span, said);
    }

    /// Refuses a key that stands in a table, whatever its value is.
    pub fn refuse_key(&mut self, table: &str, key: &str, said: String) {
        let found = self.table(table).and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
        if let Some(span) = found.map(|(name, _)| name.span()) {
            self.wrong(span, said);
        }
    }

    /// Where a table begins: at its first key, as far as that is known.
    fn span_of(&self, path: &str) -> Range<usize> {
        let inside = self.table(path).into_iter().flatten().map(|(key, _)| key.span());
        let first = inside.min_by_key(|span| span.start);
        let parent = path.split_once('.').map_or(path, |(parent, _)| parent);
        let of_parent =
            || self.root.iter().find(|(key, _)| key.get_ref() == parent).map(|(key, _)| key.span());
        first.or_else(of_parent).unwrap_or(0..0)
    }

    /// A table by its path: `web`, `outputs.phone`, `notify.0`.
    fn table(&self, path: &str) -> Option<&DeTable<'t>> {
        let mut parts = path.split('.');
        let first = parts.next()?;
        let mut value = self.root.iter().find(|(key, _)| key.get_ref() == first)?.1.get_ref();
        for part in parts {
            value = match (value.as_table(), value.as_array()) {
                (Some(table), _) => table.iter().find(|(key, _)| key.get_ref() == part)?.1.get_ref(),
                (_, Some(items)) => items.get(part.parse::<usize>().ok()?)?.get_ref(),
                _ => return None,
            };
        }
        value.as_table()
    }

    fn value(&self, table: &str, key: &str) -> Option<(Range<usize>, DeValue<'t>)> {
        let (_, value): (_, &Spanned<DeValue<'t>>) =
            self.table(table)?.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((value.span(), value.get_ref().clone()))
    }

    fn or_wrong<T>(
        &mut self,
        value: Option<T>,
        span: Range<usize>,
        said: impl FnOnce() -> String,
    ) -> Option<T> {
        if value.is_none() {
            self.wrong(span, said());
        }
        value
    }

    fn wrong(&mut self, span: Range<usize>, said: String) {
        let line = line_of(self.text.as_bytes(), span.start);
        self.findings.push(LineFinding::error(Some(line), said));
    }
}

/// The line of a place, from 1.
fn line_of(text: &[u8], at: usize) -> usize {
    text.iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

/// How a table is written: `[web]`, `[outputs.phone]`, `[[notify]]`, `[[protect.group.stage]]`.
pub(super) fn heading(path: &str) -> String {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = path.split('.').collect();
    let names: Vec<&str> = parts.iter().copied().filter(|part| !is_number(part)).collect();
    match parts.last().is_some_and(is_number) {
        true => format!("[[{}]]", names.join(".")),
        false => format!("[{}]", names.join(".")),
    }
}

/// A name as it may stand in a message of one line.
pub(super) fn shown(name: &str) -> String {
    const LONGEST: usize = 64;
    name.chars().take(LONGEST).flat_map(char::escape_debug).collect()
}

/// Which name was meant, or which there are.
pub(super) fn meant(written: &str, known: &[&str]) -> String {
    match nearest(written, known.iter().copied()) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("there are {}", known.join(", ")),
    }
}

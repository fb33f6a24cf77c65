//! Pictures: the drawn form of a reply.
//!
//! A run of one letter, with or without a point in it, is a field: its length is the width, what
//! follows the point the decimals. A letter and `*` is a field up to the end of the reply, and stands
//! last. Everything else stands for itself; a letter that stands for itself is quoted (`'P'`).

/// One piece of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A byte that stands for itself.
    Literal(u8),
    /// A field.
    Field {
        /// The letter it is drawn with.
        letter: u8,
        /// Width in bytes.
        width: usize,
        /// Digits drawn behind the point.
        places: u8,
    },
    /// A field up to the end.
    Rest {
        /// The letter it is drawn with.
        letter: u8,
    },
}

impl Slot {
    /// Bytes it takes in a reply that has exactly the drawn form; what goes up to the end has no width.
    pub const fn width(self) -> usize {
        match self {
            Slot::Literal(_) => 1,
            Slot::Field { width, .. } => width,
            Slot::Rest { .. } => 0,
        }
    }
}

/// The slot that starts at `at`, and where the next one starts. Used while tables are compiled.
///
/// # Panics
/// At compile time, when a quoted letter is not closed or something follows a field up to the end.
pub const fn slot(picture: &[u8], at: usize) -> (Slot, usize) {
    let letter = picture[at];
    if letter == b'\'' {
        assert!(at + 2 < picture.len() && picture[at + 2] == b'\'', "quote one letter at a time");
        return (Slot::Literal(picture[at + 1]), at + 3);
    }
    if !letter.is_ascii_alphabetic() {
        return (Slot::Literal(letter), at + 1);
    }
    if at + 1 < picture.len() && picture[at + 1] == b'*' {
        assert!(at + 2 == picture.len(), "a field up to the end stands last");
        return (Slot::Rest { letter }, at + 2);
    }
    let mut end = at;
    let mut point = 0;
    while end < picture.len() {
        if picture[end] == letter {
            end += 1;
        } else if picture[end] == b'.' && end + 1 < picture.len() && picture[end + 1] == letter {
            point = end;
            end += 1;
        } else {
            break;
        }
    }
    let places = if point == 0 { 0 } else { end - point - 1 };
    (Slot::Field { letter, width: end - at, places: places as u8 }, end)
}

/// The slots of a picture, from left to right.
#[derive(Clone, Debug)]
pub struct Slots {
    picture: &'static [u8],
    at: usize,
}

impl Slots {
    /// The slots of `picture`.
    pub const fn of(picture: &'static str) -> Slots {
        Slots { picture: picture.as_bytes(), at: 0 }
    }
}

impl Iterator for Slots {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        if self.at >= self.picture.len() {
            return None;
        }
        let (found, next) = slot(self.picture, self.at);
        self.at = next;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_width_and_decimals() {
        let slots: Vec<Slot> = Slots::of("(MM.M 'P'NN R*").collect();
        assert_eq!(
            slots,
            [
                Slot::Literal(b'('),
                Slot::Field { letter: b'M', width: 4, places: 1 },
                Slot::Literal(b' '),
                Slot::Literal(b'P'),
                Slot::Field { letter: b'N', width: 2, places: 0 },
                Slot::Literal(b' '),
                Slot::Rest { letter: b'R' },
            ]
        );
    }
}

//! Requests by chance, from a seed.

/// A small generator (xorshift64*), so that a seed gives the same requests everywhere.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }

    pub fn one<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// A request that mostly is one, spelt in the ways in which it can be spelt.
    pub fn request(&mut self) -> String {
        let mut words = match self.below(30) {
            0..=4 => vec!["GET", self.one(&["VAR", "TYPE", "DESC"]), self.ups(), self.variable()],
            5 => vec!["GET", "CMDDESC", self.ups(), self.command()],
            6 => vec!["GET", self.one(&["NUMLOGINS", "UPSDESC", "TRACKING"]), self.ups()],
            7..=10 => vec!["LIST", self.one(&["VAR", "RW", "CMD", "CLIENT", "UPS"]), self.ups()],
            11 | 12 => vec!["LIST", self.one(&["ENUM", "RANGE"]), self.ups(), self.variable()],
            13 | 14 => vec!["USERNAME", self.user()],
            15 | 16 => {
                vec!["PASSWORD", self.one(&["secret", "two words", "few", "s", "n", "m", "wrong", ""])]
            }
            17 | 18 => vec![self.one(&["LOGIN", "PRIMARY", "MASTER", "FSD"]), self.ups()],
            19..=21 => vec!["SET", "VAR", self.ups(), self.variable(), self.value()],
            22 => vec!["SET", "TRACKING", self.one(&["ON", "OFF", "on", "maybe"])],
            23 | 24 => vec!["INSTCMD", self.ups(), self.command()],
            25 => vec!["INSTCMD", self.ups(), self.command(), self.one(&["60", "a", ""])],
            26 => vec![self.one(&["VER", "NETVER", "PROTVER", "STARTTLS", "GET", "LIST", "SET"])],
            27 => vec![self.one(&["FROB", "GETS", "", "=", "LOGIN", "INSTCMD", "USERNAME"]), self.value()],
            28 => vec!["GET", "TRACKING"],
            _ => vec!["GET", "VAR", self.ups(), self.one(&["server.info", "Server.VERSION", "server.x"])],
        };
        match self.below(12) {
            0 => {
                words.pop();
            }
            1 if words[0] != "SET" && words[0] != "INSTCMD" => words.push("more"),
            // a word more there makes a difference, which has its name elsewhere
            2 if words[0] != "INSTCMD" && words.get(1) != Some(&"VAR") => {
                words.insert(self.below(words.len()), "in")
            }
            _ => {}
        }
        if words.first() == Some(&"GET") && self.below(30) == 0 {
            words.resize(4 + self.below(60), "much.too.much");
        }
        self.line(&words)
    }

    fn line(&mut self, words: &[&str]) -> String {
        let spelt: Vec<String> = words.iter().map(|word| self.spelt(word)).collect();
        let blank = self.one(&[" ", " ", " ", "  ", "\t", " \r "]);
        let mut end = self.one(&["\n", "\n", "\n", "\r\n", " \n", "\r\r\n", " # comment \" \\\n", " \\\n\n"]);
        if end == " \\\n\n" && words.iter().any(|word| matches!(*word, "SET" | "INSTCMD")) {
            // an empty word more, which makes a difference that has its name elsewhere
            end = "\n";
        }
        spelt.join(blank) + end
    }

    fn spelt(&mut self, word: &str) -> String {
        let cased = match self.below(10) {
            0 => word.to_ascii_lowercase(),
            1 => word.to_ascii_uppercase(),
            _ => word.into(),
        };
        let plain =
            !cased.is_empty() && cased.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        match self.below(8) {
            0 => {
                cased.chars().map(|letter| format!("\\{letter}")).collect::<String>()
                    + if cased.is_empty() { "\"\"" } else { "" }
            }
            1 if plain => format!("{cased}\u{e9}\u{1}"),
            2..=5 if plain => cased,
            _ => nut::words::quoted(&cased),
        }
    }

    fn ups(&mut self) -> &'static str {
        self.one(&["ups", "ups", "ups", "UPS", "Old", "gone", "bare", "bare", "nope", "", "u\"ps", "ups=1"])
    }

    fn user(&mut self) -> &'static str {
        self.one(&[
            "admin", "admin", "admin", "second", "few", "setter", "nothing", "master", "none", "Admin", "",
        ])
    }

    fn variable(&mut self) -> &'static str {
        self.one(&[
            "battery.charge",
            "battery.charge.low",
            "battery.charge.low",
            "ups.id",
            "ups.odd",
            "ups.mfr",
            "input.sensitivity",
            "input.sensitivity",
            "ups.delay.shutdown",
            "output.voltage.nominal",
            "ups.model",
            "ups.status",
            "ups.upper",
            "ups.empty",
            "ups.nothing",
            "server.info",
            "server.",
            "b'load.off'",
            "upstream",
            "",
        ])
    }

    fn command(&mut self) -> &'static str {
        self.one(&[
            "test.battery.start",
            "load.off",
            "beeper.mute",
            "shutdown.return",
            "fails.now",
            "frob",
            "b'load.off'",
        ])
    }

    fn value(&mut self) -> &'static str {
        self.one(&[
            "low",
            "medium",
            "Low",
            "10",
            "9",
            "50",
            "51",
            "-5",
            "-6",
            "5.9",
            "x",
            "",
            "12345678",
            "123456789",
            "a b",
            "208",
            "220",
            " 20",
            "a\"b\\c#d",
            "TRACKING",
        ])
    }

    /// Bytes that are hardly a request.
    pub fn rubbish(&mut self) -> Vec<u8> {
        let pieces: [&[u8]; 20] = [
            b"GET VAR ups ups.status",
            b"LIST UPS",
            b"\n",
            b"\n",
            b"\"",
            b"\\",
            b"=",
            b" ",
            b"\r",
            b"\x00",
            b"\xff",
            b"\x0b",
            b"\x7f",
            b"VER",
            b"[",
            b"# x",
            b"USERNAME admin",
            b"\t",
            b"NETVER\n",
            b"\\\n",
        ];
        (0..self.below(40)).flat_map(|_| pieces[self.below(pieces.len())].to_vec()).collect()
    }
}

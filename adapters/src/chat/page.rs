//! What a message shows, as it is written down: no more than a limit, and with a mind for what is code in it.

/// Most bytes of a message. It is more than any platform lets anybody send, and less than what can harm.
const BYTES: usize = 256 * 1_024;

/// The text so far.
#[derive(Default)]
pub struct Page {
    text: String,
    code: Vec<String>,
    is_full: bool,
}

impl Page {
    /// Adds to what is there.
    pub fn push(&mut self, text: &str) {
        if self.is_full {
            return;
        }
        let room = BYTES - self.text.len();
        self.is_full = text.len() > room;
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
    }

    /// Code stands on lines of its own.
    pub fn push_code(&mut self, code: &str) {
        if code.is_empty() {
            return;
        }
        self.break_line();
        let start = self.text.len();
        self.push(code);
        if self.text.len() > start {
            self.code.push(self.text[start..].to_owned());
        }
        self.break_line();
    }

    /// What comes next begins a line.
    pub fn break_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.push("\n");
        }
    }

    /// What comes next stands apart from what is in this line.
    pub fn space(&mut self) {
        if !self.is_between_words() {
            self.push(" ");
        }
    }

    /// Whether what comes next begins a word anyhow.
    pub fn is_between_words(&self) -> bool {
        self.text.is_empty() || self.text.ends_with(char::is_whitespace)
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing can be seen.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The text, without empty lines around it, and the code in it. The first line keeps its indentation: it may be one of
    /// a stack trace.
    pub fn finish(self) -> (String, Vec<String>) {
        (self.text.trim_end().trim_start_matches(['\n', '\r']).to_owned(), self.code)
    }
}

//! What a message shows, as it is written down, with a mind for what is code in it.

/// The text so far.
#[derive(Default)]
pub struct Page {
    text: String,
    code: Vec<String>,
}

impl Page {
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Code stands on lines of its own.
    pub fn push_code(&mut self, code: &str) {
        if code.is_empty() {
            return;
        }
        self.break_line();
        self.push(code);
        self.code.push(code.to_owned());
        self.break_line();
    }

    /// What comes next begins a line.
    pub fn break_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.push("\n");
        }
    }

    /// Whether what comes next begins a word anyhow.
    pub fn is_between_words(&self) -> bool {
        self.text.is_empty() || self.text.ends_with(char::is_whitespace)
    }

    /// The text, without empty lines around it, and the code in it. The first line keeps its indentation: it may be one of
    /// a stack trace.
    pub fn finish(self) -> (String, Vec<String>) {
        (self.text.trim_end().trim_start_matches(['\n', '\r']).to_owned(), self.code)
    }
}

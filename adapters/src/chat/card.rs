//! What the bot shows, in our words. Platforms make of it what they can show.

use serde::{Deserialize, Serialize};

/// Longest command of a control, in bytes: platforms keep it in the control itself.
pub const MAX_COMMAND: usize = 60;
/// Most controls of a card.
pub const MAX_CONTROLS: usize = 25;

/// A piece of a sentence. Platforms escape every text: what stands in it can neither format, link nor call anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    /// Words.
    Text(String),
    /// Words that matter most.
    Strong(String),
    /// A command, a name, a piece of a log; one line.
    Code(String),
    /// A link. The address is `http` or `https`; platforms show another one as text.
    Link {
        /// What is shown.
        text: String,
        /// Where it leads.
        url: String,
    },
}

/// A sentence.
pub type Rich = Vec<Span>;

/// How a card feels at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Users suffer.
    Bad,
    /// Someone must look.
    Warning,
    /// It is over.
    Good,
    /// Nothing to feel.
    Neutral,
}

/// What the bot shows about one incident. Edited in place as the incident changes. It may hold more than a platform can
/// show: platforms cut from the end of each part, say that they cut, and keep the controls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Colour.
    pub tone: Tone,
    /// One line that says which incident it is.
    pub title: String,
    /// The sentences below the title, most important first: state, root cause, how sure.
    pub lead: Vec<Rich>,
    /// Name and value, side by side where there is room.
    pub facts: Vec<(String, Rich)>,
    /// The rest.
    pub sections: Vec<Section>,
    /// What can be done. Platforms show the first [`MAX_CONTROLS`].
    pub controls: Vec<Control>,
    /// Small print.
    pub footer: String,
}

/// A part of a card under a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Heading.
    pub heading: String,
    /// Its items, most important first.
    pub items: Vec<Item>,
}

/// An item of a section: a sentence, or quoted log lines, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The sentence; may be empty.
    pub text: Rich,
    /// Log lines to show as they are, in fixed width.
    pub quote: Option<String>,
}

/// Something a person can press. It says a command; a click and the typed command take one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// What stands on it.
    pub label: String,
    /// What it says, e.g. `acknowledge 12`. At most [`MAX_COMMAND`] bytes; a control with a longer one is not shown,
    /// because a cut command would be another command.
    pub command: String,
    /// How it looks.
    pub style: Style,
    /// Choices instead of one button: `(label, command)`. Platforms may show only the first ones, and then say so.
    pub choices: Vec<(String, String)>,
    /// What is asked before the command is said; the answers go with it.
    pub fields: Vec<Field>,
}

/// How a control looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// As any.
    Plain,
    /// The one that most people want.
    Primary,
    /// One that cannot be taken back.
    Danger,
}

/// A question of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Name of the answer.
    pub name: String,
    /// The question.
    pub label: String,
    /// What is written or chosen.
    pub kind: FieldKind,
    /// What stands there already, or is chosen.
    pub value: String,
    /// Whether it may stay empty.
    pub is_optional: bool,
    /// Small print below it; may be empty.
    pub hint: String,
}

/// What an answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// One of these: `(label, value)`.
    Choice(Vec<(String, String)>),
    /// A channel of the platform, by its id.
    Channel,
}

//! A workflow of a project's own.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

/// The categories of statuses: id, key, colour, name.
const CATEGORIES: [(u8, &str, &str, &str); 3] =
    [(2, "new", "blue-gray", "To Do"), (4, "indeterminate", "yellow", "In Progress"), (3, "done", "green", "Done")];

/// The resolutions that there are: id and name.
pub const RESOLUTIONS: [(&str, &str); 5] =
    [("1", "Fixed"), ("2", "Won't Do"), ("3", "Duplicate"), ("4", "Cannot Reproduce"), ("10000", "Done")];

/// Statuses and the steps between them.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// Name and key of the category; the first is that of a new issue.
    statuses: Vec<(String, String)>,
    steps: Vec<Step>,
}

/// A step from status to status; Jira calls it a transition.
#[derive(Debug, Clone, Default)]
pub struct Step {
    pub id: String,
    pub name: String,
    /// Where it begins; anywhere when empty.
    pub from: Vec<String>,
    pub to: String,
    /// Fields that must be filled.
    pub needs: Vec<String>,
    /// Fields that may be filled.
    pub offers: Vec<String>,
    /// The resolution that it sets by itself.
    pub resolves: Option<String>,
}

impl Step {
    /// Whether this field is on its screen.
    pub fn shows(&self, field: &str) -> bool {
        self.needs.iter().chain(&self.offers).any(|shown| shown == field)
    }
}

impl Workflow {
    /// With these statuses, each with the key of its category: `new`, `indeterminate` or `done`. A new issue has the first.
    #[must_use]
    pub fn new(statuses: &[(&str, &str)]) -> Self {
        let statuses = statuses.iter().map(|(name, category)| ((*name).to_owned(), (*category).to_owned())).collect();
        Self { statuses, steps: Vec::new() }
    }

    /// With one more step; from anywhere when `from` is empty.
    #[must_use]
    pub fn step(mut self, id: &str, name: &str, from: &[&str], to: &str) -> Self {
        self.steps.push(Step {
            id: id.to_owned(),
            name: name.to_owned(),
            from: from.iter().map(|from| (*from).to_owned()).collect(),
            to: to.to_owned(),
            needs: Vec::new(),
            offers: Vec::new(),
            resolves: None,
        });
        self
    }

    /// The last step wants this field.
    #[must_use]
    pub fn needs(mut self, field: &str) -> Self {
        self.steps.iter_mut().last().into_iter().for_each(|step| step.needs.push(field.to_owned()));
        self
    }

    /// The last step takes this field, but does not want it.
    #[must_use]
    pub fn offers(mut self, field: &str) -> Self {
        self.steps.iter_mut().last().into_iter().for_each(|step| step.offers.push(field.to_owned()));
        self
    }

    /// The last step sets this resolution by itself.
    #[must_use]
    pub fn resolves(mut self, resolution: &str) -> Self {
        self.steps.iter_mut().last().into_iter().for_each(|step| step.resolves = Some(resolution.to_owned()));
        self
    }

    /// The status of a new issue.
    pub fn first(&self) -> &str {
        self.statuses.first().map_or("", |(name, _)| name)
    }

    /// Key of the category of a status.
    pub fn category(&self, status: &str) -> &str {
        self.statuses.iter().find(|(name, _)| name == status).map_or("indeterminate", |(_, category)| category)
    }

    /// Whether there is a status of this name, whatever its case.
    pub fn has_status(&self, status: &str) -> bool {
        self.statuses.iter().any(|(name, _)| name.eq_ignore_ascii_case(status))
    }

    /// The steps that can be taken from this status.
    pub fn from(&self, status: &str) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.from.is_empty() || step.from.iter().any(|from| from == status))
    }

    /// The shortest way to a status or through a step, by the name of either.
    pub fn way(&self, from: &str, to: &str) -> Option<Vec<Step>> {
        let mut open = VecDeque::from([(from.to_owned(), Vec::new())]);
        let mut seen = BTreeSet::from([from.to_owned()]);
        while let Some((at, way)) = open.pop_front() {
            for step in self.from(&at) {
                let way: Vec<Step> = way.iter().chain([step]).cloned().collect();
                if step.to == to || step.name == to {
                    return Some(way);
                }
                if seen.insert(step.to.clone()) {
                    open.push_back((step.to.clone(), way));
                }
            }
        }
        None
    }

    /// The status as the API shows it.
    pub fn shown(&self, base: &str, status: &str) -> Value {
        let place = self.statuses.iter().position(|(name, _)| name == status).unwrap_or(0);
        let id = (10_000 + place).to_string();
        json!({
            "self": format!("{base}/status/{id}"),
            "description": "",
            "iconUrl": format!("{base}/images/icons/statuses/generic.png"),
            "name": status,
            "id": id,
            "statusCategory": shown_category(base, self.category(status)),
        })
    }
}

impl Default for Workflow {
    /// No step leads from open to done, the first step to done is the wrong one, and the right one wants a resolution.
    fn default() -> Self {
        Self::new(&[("Open", "new"), ("In Review", "indeterminate"), ("Won't Do", "done"), ("Fixed", "done")])
            .step("711", "Start review", &["Open"], "In Review")
            .step("731", "Won't do", &["In Review"], "Won't Do")
            .resolves("Won't Do")
            .step("721", "Fix", &["In Review"], "Fixed")
            .needs("resolution")
            .step("741", "Stop review", &["In Review"], "Open")
            .step("751", "Reopen", &["Fixed", "Won't Do"], "Open")
    }
}

/// A category as the API shows it.
pub fn shown_category(base: &str, key: &str) -> Value {
    let (id, key, colour, name) = CATEGORIES.into_iter().find(|(_, of, _, _)| *of == key).unwrap_or(CATEGORIES[1]);
    json!({"self": format!("{base}/statuscategory/{id}"), "id": id, "key": key, "colorName": colour, "name": name})
}

/// The key of the category that is called so in a query.
pub fn category_called(text: &str) -> Option<&'static str> {
    let is = |id: u8, key: &str, name: &str| {
        text.eq_ignore_ascii_case(key) || text.eq_ignore_ascii_case(name) || text == id.to_string()
    };
    CATEGORIES.into_iter().find(|(id, key, _, name)| is(*id, key, name)).map(|(_, key, _, _)| key)
}

//! The values of single fields: what Jira takes, and how it says no.

use serde_json::{Value, json};

use super::documents::{LONGEST, Text, Wrong, units};
use super::fields::{CustomField, Holds};
use super::state::State;
use super::{Flavour, Version};

impl State {
    pub fn summary(&self, value: &Value) -> Result<String, String> {
        let summary = value.as_str().ok_or("Operation value must be a string")?;
        if summary.contains(['\n', '\r']) {
            return Err("The summary is invalid because it contains newline characters.".to_owned());
        }
        if units(summary) > 255 {
            return Err(match self.flavour {
                Flavour::Cloud => "Summary can't exceed 255 characters.".to_owned(),
                Flavour::Server => "Summary must be less than 255 characters.".to_owned(),
            });
        }
        Ok(summary.trim().to_owned())
    }

    /// The name of a type, by name or id.
    pub fn kind(&self, value: &Value) -> Result<String, String> {
        let found =
            self.types.iter().find(|kind| value["id"] == kind.id.as_str() || value["name"] == kind.name.as_str());
        found.map(|kind| kind.name.clone()).ok_or_else(|| "Specify a valid issue type".to_owned())
    }

    /// The id of somebody; `None` is nobody.
    pub fn person(&self, value: &Value, assignable: bool) -> Result<Option<String>, String> {
        if value.is_null() {
            return Ok(None);
        }
        let id = match self.flavour {
            Flavour::Cloud => value["accountId"]
                .as_str()
                .or_else(|| value["id"].as_str())
                .ok_or("'accountId' must be the only user identifying query parameter in GDPR strict mode.")?,
            Flavour::Server => value["name"].as_str().ok_or("expected Object containing a 'name' property")?,
        };
        let user = self.user(id).ok_or_else(|| format!("User '{id}' does not exist."))?;
        if assignable && !(user.assignable && user.active) {
            return Err(format!("User '{id}' cannot be assigned issues."));
        }
        Ok(Some(user.id.clone()))
    }

    /// The value of a field of the project's own; `None` is no value.
    pub fn custom_value(&self, field: &CustomField, value: &Value) -> Result<Option<Value>, String> {
        if value.is_null() {
            return Ok(None);
        }
        match &field.holds {
            Holds::Option(options) => {
                if !value.is_object() {
                    return Err("Specify a valid 'id' or 'name' for the option: data was not an object".to_owned());
                }
                let found = options.iter().map(|option| self.option(&field.id, option)).find(|option| {
                    let by_id = value["id"].is_string() && option["id"] == value["id"];
                    by_id || (value["value"].is_string() && option["value"] == value["value"])
                });
                let (id, text) = (&value["id"], value["value"].as_str().unwrap_or(""));
                let told = if id.is_null() { format!("Option value '{text}'") } else { format!("Option id {id}") };
                found.map(Some).ok_or_else(|| format!("{told} is not valid"))
            }
            Holds::Line => {
                value.as_str().map(|_| Some(value.clone())).ok_or_else(|| "Operation value must be a string".to_owned())
            }
            Holds::Number => {
                value.as_f64().map(|_| Some(value.clone())).ok_or_else(|| "Operation value must be a number".to_owned())
            }
        }
    }

    /// An option of a field as the API shows it.
    pub fn option(&self, field: &str, option: &str) -> Value {
        let own = self.custom.iter().find(|custom| custom.id == field).map(|custom| &custom.holds);
        let place = match own {
            Some(Holds::Option(options)) => options.iter().position(|is| is == option).unwrap_or(0),
            _ => 0,
        };
        let id = (10_040 + place).to_string();
        json!({"self": format!("{}/rest/api/2/customFieldOption/{id}", self.base), "value": option, "id": id})
    }
}

/// A long text; `None` is none.
pub fn long_text(value: &Value, version: Version) -> Result<Option<Text>, String> {
    if value.is_null() {
        return Ok(None);
    }
    Text::take(value, version).map(Some).map_err(|wrong| match (wrong, version) {
        (Wrong::Kind, Version::Two) => "Operation value must be a string".to_owned(),
        (Wrong::Kind, Version::Three) => {
            "Operation value must be an Atlassian Document (see the Atlassian Document Format)".to_owned()
        }
        (Wrong::Shape(why), _) => format!("INVALID_INPUT [{why}]"),
        (Wrong::Length, _) => {
            let limit = format!("{},{:03}", LONGEST / 1_000, LONGEST % 1_000);
            format!("The entered text is too long. It exceeds the allowed limit of {limit} characters.")
        }
    })
}

/// Labels.
pub fn labels(value: &Value) -> Result<Vec<String>, String> {
    let mut labels = Vec::new();
    for label in value.as_array().ok_or("data was not an array")? {
        let label = label.as_str().ok_or("string expected at index 0")?;
        if label.contains(char::is_whitespace) {
            return Err(format!("The label '{label}' contains spaces which is invalid."));
        }
        if label.is_empty() || units(label) > 255 {
            return Err(format!("The label '{label}' exceeds the limit of 255 characters or is empty."));
        }
        if !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
    }
    Ok(labels)
}

/// One of those that there are, by name or id.
pub fn chosen(what: &str, value: &Value, all: &[(&str, &str)]) -> Result<String, String> {
    let given = value.as_object().ok_or_else(|| format!("data was not an object: {what}"))?;
    let found = match (given.get("id").and_then(Value::as_str), given.get("name").and_then(Value::as_str)) {
        (Some(id), _) => all.iter().find(|(is, _)| *is == id),
        (None, Some(name)) => all.iter().find(|(_, is)| *is == name),
        (None, None) => return Err(format!("Could not find valid 'id' or 'name' in {what}.")),
    };
    found.map(|(_, name)| (*name).to_owned()).ok_or_else(|| match what {
        "Priority" => "The priority selected is invalid.".to_owned(),
        _ => format!("{what} {value} is not valid"),
    })
}

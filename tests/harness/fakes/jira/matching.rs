//! What a query finds.

use std::cmp::Ordering;
use std::time::Instant;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, TimeZone};

use super::jql::{Query, Term};
use super::shown::PROJECT_ID;
use super::state::{Issue, Record, State, now};
use super::workflow::category_called;
use super::{PROJECT, jql};

impl State {
    /// The issues that a query finds, in its order, as they were when the index last looked; those whose ids are in `fresh`
    /// as they are.
    ///
    /// # Errors
    /// What Jira says when it cannot tell.
    pub fn find(&self, text: &str, fresh: &[u64]) -> Result<(Query, Vec<Issue>), Vec<String>> {
        let query = jql::parse(text).map_err(|error| vec![error])?;
        let errors: Vec<String> = query.terms.iter().filter_map(|term| self.check_term(term).err()).collect();
        let orders = query.order.iter().map(|(field, _)| field.to_lowercase());
        let unknown = orders.filter(|field| !matches!(field.as_str(), "created" | "updated" | "key"));
        let unknown =
            unknown.map(|field| format!("Field '{field}' does not exist or this field cannot be viewed or sorted by."));
        let errors: Vec<String> = errors.into_iter().chain(unknown).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let indexed = Instant::now().checked_sub(self.lag);
        let seen = |record: &Record| {
            let is_fresh = record.now().is_some_and(|issue| fresh.contains(&issue.id));
            if is_fresh { record.now().cloned() } else { record.at(indexed?).cloned() }
        };
        let issues = self.records.iter().filter_map(seen);
        let mut found: Vec<Issue> =
            issues.filter(|issue| query.terms.iter().all(|term| self.holds(term, issue))).collect();
        found.sort_by(|one, other| in_order(&query, one, other));
        Ok((query, found))
    }

    fn check_term(&self, term: &Term) -> Result<(), String> {
        let Term { field, operator, values } = term;
        let field_name = field.to_lowercase();
        let equality = ["=", "!=", "in", "not in"];
        let operators: &[&str] = match field_name.as_str() {
            "project" | "statuscategory" | "status" => &equality,
            "labels" | "key" | "issuekey" | "issue" | "id" => &["=", "in"],
            "updated" | "updateddate" | "created" | "createddate" => &[">=", ">", "<=", "<"],
            _ => return Err(format!("Field '{field}' does not exist or you do not have permission to view it.")),
        };
        if !operators.contains(operator) {
            return Err(format!("The operator '{operator}' is not supported by the '{field}' field."));
        }
        let exists = |value: &&String| match field_name.as_str() {
            "project" => value.eq_ignore_ascii_case(PROJECT) || *value == PROJECT_ID || *value == "Operations",
            "statuscategory" => category_called(value).is_some(),
            "status" => self.workflow.has_status(value),
            "labels" => true,
            "key" | "issuekey" | "issue" | "id" => self.issue(value).is_some(),
            _ => self.moment(value).is_some(),
        };
        let Some(unknown) = values.iter().find(|value| !exists(value)) else { return Ok(()) };
        Err(match field_name.as_str() {
            "key" | "issuekey" | "issue" | "id" => {
                format!("An issue with key '{unknown}' does not exist for field '{field}'.")
            }
            "updated" | "updateddate" | "created" | "createddate" => format!(
                "Date value '{unknown}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', \
                 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
            ),
            _ => format!("The value '{unknown}' does not exist for the field '{field}'."),
        })
    }

    fn holds(&self, term: &Term, issue: &Issue) -> bool {
        let values = &term.values;
        let among = |is: &str| values.iter().any(|value| value.eq_ignore_ascii_case(is));
        let positive = match term.field.to_lowercase().as_str() {
            "project" => true,
            "statuscategory" => {
                let category = self.workflow.category(&issue.status);
                values.iter().any(|value| category_called(value) == Some(category))
            }
            "status" => among(&issue.status),
            "labels" => values.iter().any(|value| issue.labels.contains(value)),
            "updated" | "updateddate" => return self.compares(term, issue.updated),
            "created" | "createddate" => return self.compares(term, issue.created),
            _ => among(&issue.key) || among(&issue.id.to_string()),
        };
        positive != matches!(term.operator, "!=" | "not in")
    }

    fn compares(&self, term: &Term, time: u64) -> bool {
        let Some(moment) = term.values.first().and_then(|value| self.moment(value)) else { return false };
        let time = i64::try_from(time).unwrap_or(i64::MAX);
        match term.operator {
            ">=" => time >= moment,
            ">" => time > moment,
            "<=" => time <= moment,
            _ => time < moment,
        }
    }

    /// Milliseconds since 1970 of a date, which is one in the time zone of the account, or of a period.
    fn moment(&self, value: &str) -> Option<i64> {
        let value = value.trim();
        let of_day =
            |format: &str| NaiveDate::parse_from_str(value, format).ok().and_then(|day| day.and_hms_opt(0, 0, 0));
        let of_minute = |format: &str| NaiveDateTime::parse_from_str(value, format).ok();
        let written = of_minute("%Y-%m-%d %H:%M").or_else(|| of_minute("%Y/%m/%d %H:%M"));
        let written = written.or_else(|| of_day("%Y-%m-%d")).or_else(|| of_day("%Y/%m/%d"));
        match written {
            Some(written) => self.offset().from_local_datetime(&written).single().map(|time| time.timestamp_millis()),
            None => Some(i64::try_from(now()).ok()? + period(value)?.num_milliseconds()),
        }
    }
}

/// `-5m`, `1w 2d`: the sign is that of the whole.
fn period(value: &str) -> Option<TimeDelta> {
    let (sign, rest) = value.strip_prefix('-').map_or((1, value), |rest| (-1, rest));
    let mut sum = TimeDelta::zero();
    for part in rest.split_whitespace() {
        let (number, unit) = part.split_at_checked(part.len().checked_sub(1)?)?;
        let number: i32 = number.parse().ok().filter(|number| *number >= 0)?;
        let unit = match unit {
            "m" => TimeDelta::minutes(1),
            "h" => TimeDelta::hours(1),
            "d" => TimeDelta::days(1),
            "w" => TimeDelta::weeks(1),
            _ => return None,
        };
        sum += unit * number;
    }
    (!rest.trim().is_empty()).then_some(sum * sign)
}

fn in_order(query: &Query, one: &Issue, other: &Issue) -> Ordering {
    let newest_first = [("created".to_owned(), true)];
    let order = if query.order.is_empty() { &newest_first[..] } else { &query.order };
    let compared = order.iter().map(|(field, down)| {
        let compared = match field.to_lowercase().as_str() {
            "updated" => one.updated.cmp(&other.updated),
            "created" => one.created.cmp(&other.created),
            _ => one.id.cmp(&other.id),
        };
        if *down { compared.reverse() } else { compared }
    });
    let down = order.iter().any(|(_, down)| *down);
    let last = if down { other.id.cmp(&one.id) } else { one.id.cmp(&other.id) };
    compared.fold(Ordering::Equal, Ordering::then).then(last)
}

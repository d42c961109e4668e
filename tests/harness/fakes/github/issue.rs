//! Issues and pull requests, as the fake keeps them and as stories see them.

/// An issue; also a pull request, which is one with more to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: Option<String>,
    /// Login of who made it.
    pub author: String,
    /// Whether it is open.
    pub open: bool,
    /// Why it is closed, or open again.
    pub state_reason: Option<String>,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Logins of those who have it.
    pub assignees: Vec<String>,
    /// What was written below it, oldest first.
    pub comments: Vec<Comment>,
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Login of who closed it.
    pub closed_by: Option<String>,
    /// What it has as a pull request.
    pub pull: Option<Pull>,
    /// GitHub's other number of it.
    pub id: u64,
}

/// Something that was written below an issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Login of who wrote it.
    pub author: String,
    /// The text.
    pub body: String,
    /// When, in seconds since 1970.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// What a pull request has more than an issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pull {
    /// Branch that it brings.
    pub branch: String,
    /// Branch that it goes into.
    pub base: String,
    /// Last commit of that branch when it was opened.
    pub base_sha: String,
    /// Its commits, oldest first.
    pub commits: Vec<String>,
    /// Not ready to be looked at.
    pub draft: bool,
    /// When it was merged.
    pub merged_at: Option<i64>,
    /// Login of who merged it.
    pub merged_by: Option<String>,
    /// The commit that merged it; before that, one that tried whether it can be merged.
    pub merge_commit: String,
    /// What its reviewers said, oldest first.
    pub reviews: Vec<Review>,
    /// GitHub's other number of it.
    pub id: u64,
}

impl Pull {
    /// Its last commit.
    #[must_use]
    pub fn head(&self) -> &str {
        self.commits.last().map_or(&self.base_sha, |sha| sha)
    }
}

/// What a reviewer said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// Its id.
    pub id: u64,
    /// Login of the reviewer.
    pub author: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED` or `DISMISSED`.
    pub state: String,
    /// The commit that was looked at.
    pub commit: String,
    /// When.
    pub at: i64,
}

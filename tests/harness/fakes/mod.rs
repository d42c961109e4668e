//! The systems outside, as the bot sees them: real servers on this machine that remember what was done to them. They run
//! in threads of their own and live on while the bot under test is killed and started again.

pub mod clock;
pub mod discord;
pub mod faults;
pub mod github;
pub mod jira;
pub mod server;
pub mod slack;

//! Which root cause a log shows, with a calibrated probability and the lines and words that prove it.

pub mod calibration;
pub mod classifier;
pub mod evidence;
pub mod features;
pub mod label;
pub mod vocabulary;

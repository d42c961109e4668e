//! What people do with Clew and what they see. Run against the real program.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a story that fails stops

mod alerts;
mod api;
mod chat_console;
mod command_line;
mod console;
mod discord;
mod durable;
mod incidents;
mod knowledge;
mod repository;
mod settings;
mod slack;
mod tickets;
mod torture;
mod understanding;

/// The program under test.
pub const CLEW: &str = env!("CARGO_BIN_EXE_clew");

/// A database whose disk is full, with what follows from it and what happens around it.
pub const FULL_DISK: &str = "\
2024-05-01 10:00:00.123 UTC [77] LOG:  checkpoint starting: time
2024-05-01 10:00:05.001 UTC [77] LOG:  checkpoint complete: wrote 44 buffers
2024-05-01 10:02:12.001 UTC [913] app@shop PANIC:  could not write to file \"pg_wal/xlogtemp.913\": No space left on device
2024-05-01 10:02:12.950 UTC [1] LOG:  server process (PID 913) was terminated by signal 6: Aborted
2024/05/01 10:02:14 [error] 33#33: *1 connect() failed (111: Connection refused) while connecting to upstream
2024-05-01 10:02:15.000 UTC [1] LOG:  login of jane@example.com with password=hunter2
";

/// A healthy web server.
pub const HEALTHY: &str = "\
10.0.0.1 - - [01/May/2024:10:02:14 +0000] \"GET /health HTTP/1.1\" 200 2 \"-\" \"kube-probe/1.29\"
10.0.0.1 - - [01/May/2024:10:02:24 +0000] \"GET /health HTTP/1.1\" 200 2 \"-\" \"kube-probe/1.29\"
10.0.0.7 - - [01/May/2024:10:02:25 +0000] \"GET /index.html HTTP/1.1\" 200 5120 \"-\" \"Mozilla/5.0\"
";

# `just` alone lists the recipes.
default:
    @just --list

# Build the program
build:
    cargo build --release --locked

# Run the program; without arguments it serves
run *arguments:
    cargo run --release -- {{arguments}}

# Run all tests
test:
    cargo test --workspace

# Format the code
fmt:
    cargo fmt --all

# Check format and lints, as a review does
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Train the classifier and the action ranker from the data in models/
train:
    cargo run --release -- train

# Measure root causes, templates, anomalies and retrieval; with a file, the verdicts on its labelled cases
eval *arguments:
    cargo run --release -- eval {{arguments}}

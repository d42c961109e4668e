FROM rust:1.95-slim-bookworm AS build
# The search index (usearch) is C++.
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# rust-toolchain.toml stays out: the image brings the compiler, and nothing should be downloaded in its place.
COPY Cargo.toml Cargo.lock ./
COPY adapters adapters
COPY bot bot
COPY pipeline pipeline
COPY tests tests
RUN cargo build --release --locked --bin clew

# The same Debian release as above, for its glibc and libstdc++ (which apt itself brings).
FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin clew \
    && mkdir /data \
    && chown clew:clew /data
WORKDIR /app
COPY --from=build /src/target/release/clew /usr/local/bin/clew
COPY LICENSE LICENSE-APACHE LICENSE-MIT NOTICE ./
COPY models models
COPY knowledge knowledge
COPY code_keywords.txt ./
ENV CLEW_DATA_DIR=/data \
    CLEW_HTTP_ADDR=0.0.0.0:8080
# The address can be reached by other machines, so CLEW_API_KEYS must be given at run time: without it Clew refuses to
# start, and says so.
USER clew
VOLUME /data
EXPOSE 8080
# No HEALTHCHECK: the image has no HTTP client, and `clew` has no command for it. Let whatever runs the container ask
# GET /health (is it alive) and GET /ready (can it give verdicts); docker-compose.yml shows one way.
ENTRYPOINT ["clew"]
CMD ["serve"]

//! The shapes of requests, by Discord's own `OpenAPI` description.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

struct Compiled {
    schemas: Schemas,
    by_route: BTreeMap<String, SchemaIndex>,
}

/// What is wrong with the shape of a body sent to this route; `None` when nothing is, or when the route takes none.
pub fn wrong_shape(route: &str, body: &Value) -> Option<String> {
    static COMPILED: OnceLock<Option<Compiled>> = OnceLock::new();
    let Some(Compiled { schemas, by_route }) = COMPILED.get_or_init(compile) else {
        return Some("the schemas of Discord cannot be read".to_owned());
    };
    // The answer to an interaction is edited as every other, and commands of a server are registered as all are.
    let route = route.replace("/@original", "/{}").replace("guilds/{}/commands", "commands");
    let schema = by_route.get(&route)?;
    schemas.validate(body, *schema).err().map(|error| format!("{error:#}"))
}

fn compile() -> Option<Compiled> {
    const REQUESTS: &str = "https://clew.example/discord.schema.json";
    let all: Value = serde_json::from_str(include_str!("requests.schema.json")).ok()?;
    let routes: Vec<String> = all["properties"].as_object()?.keys().cloned().collect();
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource(REQUESTS, all).ok()?;
    let mut by_route = BTreeMap::new();
    for route in routes {
        // A pointer in an address: `/` and `~` are escaped first, then what an address cannot hold.
        let pointer = route.replace('~', "~0").replace('/', "~1").replace(' ', "%20");
        let pointer = pointer.replace('{', "%7B").replace('}', "%7D");
        let index = compiler.compile(&format!("{REQUESTS}#/properties/{pointer}"), &mut schemas).ok()?;
        by_route.insert(route, index);
    }
    Some(Compiled { schemas, by_route })
}

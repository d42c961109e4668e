//! The shapes of blocks and views, by the schemas of Slack's own types.

use std::sync::OnceLock;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// What is to have the right shape.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// The blocks of a message.
    Blocks,
    /// A modal or a Home tab.
    View,
}

struct Compiled {
    schemas: Schemas,
    blocks: SchemaIndex,
    view: SchemaIndex,
}

/// What is wrong with the shape; empty when nothing is.
pub fn check_shape(shape: Shape, value: &Value) -> Vec<String> {
    static COMPILED: OnceLock<Option<Compiled>> = OnceLock::new();
    let Some(Compiled { schemas, blocks, view }) = COMPILED.get_or_init(compile) else {
        return vec!["the schemas of Block Kit cannot be read".to_owned()];
    };
    let schema = match shape {
        Shape::Blocks => *blocks,
        Shape::View => *view,
    };
    schemas.validate(value, schema).err().map(|error| format!("{error:#}")).into_iter().collect()
}

fn compile() -> Option<Compiled> {
    const BLOCKS: &str = "https://clew.example/blocks.schema.json";
    const VIEWS: &str = "https://clew.example/views.schema.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource(BLOCKS, serde_json::from_str(include_str!("blocks.schema.json")).ok()?).ok()?;
    compiler.add_resource(VIEWS, serde_json::from_str(include_str!("views.schema.json")).ok()?).ok()?;
    let blocks = compiler.compile(BLOCKS, &mut schemas).ok()?;
    let view = compiler.compile(VIEWS, &mut schemas).ok()?;
    Some(Compiled { schemas, blocks, view })
}

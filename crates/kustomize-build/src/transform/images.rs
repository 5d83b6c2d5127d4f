//! `images`.

use serde_json::{Map, Value};

use super::{Fields, Shared, TransformError, Transformer};
use crate::budget::Budget;
use crate::field_spec::{FieldError, FieldSpec, scalar_text, set_scalar};
use crate::image::{ImageMatcher, ImageRef};
use crate::kustomization::Image;
use crate::resources::Resources;

/// Objects are walked this deep; the parser allows no more.
const MAX_DEPTH: usize = 256;

/// Gives images a new name, tag or digest.
#[derive(Debug)]
pub(crate) struct Images {
    image: Image,
    matcher: ImageMatcher,
    fields: Fields,
}

impl Images {
    pub(crate) fn new(image: Image, specs: &[FieldSpec]) -> Result<Self, TransformError> {
        let matcher = ImageMatcher::new(&image.name)?;
        Ok(Self { matcher, image, fields: Fields::new(specs) })
    }

    fn set(&self, field: &mut Value, budget: &Budget) -> Result<(), FieldError> {
        let old = scalar_text(field)?;
        if !self.matcher.matches(&old) {
            return Ok(());
        }
        let ImageRef { mut name, mut tag, mut digest } = ImageRef::split(&old);
        let Image { new_name, new_tag, digest: new_digest, tag_suffix, .. } = &self.image;
        if !new_name.is_empty() {
            name = new_name;
        }
        let suffixed = format!("{tag}{tag_suffix}");
        // Whatever is given replaces both, for each of them says which image it is.
        if !new_tag.is_empty() || !new_digest.is_empty() {
            (tag, digest) = (new_tag, new_digest);
        } else if !tag_suffix.is_empty() {
            (tag, digest) = (&suffixed, "");
        }
        set_scalar(field, Value::from(ImageRef { name, tag, digest }.to_string()), budget)
    }

    /// Changes every `image` in lists called `containers` or `initContainers`, wherever they are.
    fn walk(
        &self,
        fields: &mut Map<String, Value>,
        depth: usize,
        budget: &Budget,
    ) -> Result<(), FieldError> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        for (key, value) in fields {
            self.walk_value(value, depth, budget)?;
            let Value::Array(items) = value else { continue };
            if key != "containers" && key != "initContainers" {
                continue;
            }
            for item in items {
                match item {
                    Value::Object(container) => {
                        if let Some(image) = container.get_mut("image").filter(|i| !i.is_null()) {
                            self.set(image, budget)?;
                        }
                    }
                    Value::Null => {}
                    other => return Err(FieldError::wrong_kind("MappingNode", other)),
                }
            }
        }
        Ok(())
    }

    fn walk_value(
        &self,
        value: &mut Value,
        depth: usize,
        budget: &Budget,
    ) -> Result<(), FieldError> {
        match value {
            Value::Object(fields) => self.walk(fields, depth + 1, budget),
            Value::Array(items) if depth < MAX_DEPTH => {
                items.iter_mut().try_for_each(|item| self.walk_value(item, depth + 1, budget))
            }
            _ => Ok(()),
        }
    }
}

impl Transformer for Images {
    fn kind(&self) -> &'static str {
        "ImageTagTransformer"
    }

    // Flux: the two ways overlap, so a `tagSuffix` is added twice to most containers.
    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        let has_images = |kind: &str| kind != "CustomResourceDefinition";
        for place in 0..resources.len() {
            let Some(resource) = resources.body_mut(place).filter(|r| has_images(&r.kind())) else {
                continue;
            };
            self.walk(&mut resource.fields, 0, &shared.budget)
                .map_err(|source| TransformError::of_field(source, "containers", resource))?;
        }
        for place in 0..resources.len() {
            let Some(resource) = resources.body_mut(place).filter(|r| has_images(&r.kind())) else {
                continue;
            };
            self.fields
                .change(resource, None, &shared.budget, |field| self.set(field, &shared.budget))?;
        }
        Ok(())
    }
}

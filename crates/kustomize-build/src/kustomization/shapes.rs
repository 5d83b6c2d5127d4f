//! The fields of a kustomization file and of the built-in plugins, as tables.

use super::shape::{Field, Shape, Struct};

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, via: &[], shape }
}

const fn part(via: &'static [&'static str], name: &'static str, shape: Shape) -> Field {
    Field { name, via, shape }
}

use Shape::{Any, Flag, Int, Many, One, Text, TextMap, Texts};

pub(crate) static KUSTOMIZATION: Struct = Struct {
    name: "Kustomization",
    fields: &[
        part(&["TypeMeta"], "apiVersion", Text),
        part(&["TypeMeta"], "kind", Text),
        field("metadata", One(&METADATA)),
        field("openapi", TextMap),
        field("namePrefix", Text),
        field("nameSuffix", Text),
        field("namespace", Text),
        field("commonLabels", TextMap),
        field("labels", Many(&LABEL, "[]types.Label")),
        field("commonAnnotations", TextMap),
        field("patchesStrategicMerge", Shape::NamedTexts("types.PatchStrategicMerge")),
        field("patchesJson6902", Many(&PATCH, "[]types.Patch")),
        field("patches", Many(&PATCH, "[]types.Patch")),
        field("images", Many(&IMAGE, "[]types.Image")),
        field("imageTags", Many(&IMAGE, "[]types.Image")),
        field("replacements", Many(&REPLACEMENT_FIELD, "[]types.ReplacementField")),
        field("replicas", Many(&REPLICA, "[]types.Replica")),
        field("vars", Many(&VAR, "[]types.Var")),
        field("sortOptions", One(&SORT_OPTIONS)),
        field("resources", Texts),
        field("components", Texts),
        field("crds", Texts),
        field("bases", Texts),
        field("configMapGenerator", Many(&CONFIG_MAP_ARGS, "[]types.ConfigMapArgs")),
        field("secretGenerator", Many(&SECRET_ARGS, "[]types.SecretArgs")),
        field("helmGlobals", Any),
        field("helmCharts", Any),
        field("helmChartInflationGenerator", Any),
        field("generatorOptions", One(&GENERATOR_OPTIONS)),
        field("configurations", Texts),
        field("generators", Texts),
        field("transformers", Texts),
        field("validators", Texts),
        field("buildMetadata", Texts),
    ],
};

pub(crate) static METADATA: Struct = Struct {
    name: "ObjectMeta",
    fields: &[
        field("name", Text),
        field("namespace", Text),
        field("labels", TextMap),
        field("annotations", TextMap),
    ],
};

static LABEL: Struct = Struct {
    name: "Label",
    fields: &[
        field("pairs", TextMap),
        field("includeSelectors", Flag),
        field("includeTemplates", Flag),
        field("fields", Many(&FIELD_SPEC, "[]types.FieldSpec")),
    ],
};

pub(crate) static FIELD_SPEC: Struct = Struct {
    name: "FieldSpec",
    fields: &[
        part(&["Gvk"], "group", Text),
        part(&["Gvk"], "version", Text),
        part(&["Gvk"], "kind", Text),
        field("path", Text),
        field("create", Flag),
    ],
};

static NAME_REFERENCE: Struct = Struct {
    name: "NameBackReferences",
    fields: &[
        part(&["Gvk"], "group", Text),
        part(&["Gvk"], "version", Text),
        part(&["Gvk"], "kind", Text),
        field("fieldSpecs", Many(&FIELD_SPEC, "types.FsSlice")),
    ],
};

pub(crate) static TRANSFORMER_CONFIG: Struct = Struct {
    name: "TransformerConfig",
    fields: &[
        field("namePrefix", Many(&FIELD_SPEC, "types.FsSlice")),
        field("nameSuffix", Many(&FIELD_SPEC, "types.FsSlice")),
        field("namespace", Many(&FIELD_SPEC, "types.FsSlice")),
        field("commonLabels", Many(&FIELD_SPEC, "types.FsSlice")),
        field("labels", Many(&FIELD_SPEC, "types.FsSlice")),
        field("templateLabels", Many(&FIELD_SPEC, "types.FsSlice")),
        field("commonAnnotations", Many(&FIELD_SPEC, "types.FsSlice")),
        field("nameReference", Many(&NAME_REFERENCE, "builtinconfig.nbrSlice")),
        field("varReference", Many(&FIELD_SPEC, "types.FsSlice")),
        field("images", Many(&FIELD_SPEC, "types.FsSlice")),
        field("replicas", Many(&FIELD_SPEC, "types.FsSlice")),
    ],
};

static PATCH: Struct = Struct {
    name: "Patch",
    fields: &[
        field("path", Text),
        field("patch", Text),
        field("target", One(&SELECTOR)),
        field("options", One(&PATCH_ARGS)),
    ],
};

static PATCH_ARGS: Struct = Struct {
    name: "PatchArgs",
    fields: &[field("allowNameChange", Flag), field("allowKindChange", Flag)],
};

static SELECTOR: Struct = Struct {
    name: "Selector",
    fields: &[
        part(&["ResId", "Gvk"], "group", Text),
        part(&["ResId", "Gvk"], "version", Text),
        part(&["ResId", "Gvk"], "kind", Text),
        part(&["ResId"], "name", Text),
        part(&["ResId"], "namespace", Text),
        field("annotationSelector", Text),
        field("labelSelector", Text),
    ],
};

static IMAGE: Struct = Struct {
    name: "Image",
    fields: &[
        field("name", Text),
        field("newName", Text),
        field("tagSuffix", Text),
        field("newTag", Text),
        field("digest", Text),
    ],
};

static REPLACEMENT_FIELD: Struct = Struct {
    name: "ReplacementField",
    fields: &[
        part(&["Replacement"], "source", One(&SOURCE_SELECTOR)),
        part(&["Replacement"], "targets", Many(&TARGET_SELECTOR, "[]*types.TargetSelector")),
        part(&["Replacement"], "sourceValue", Text),
        field("path", Text),
    ],
};

pub(crate) static REPLACEMENT: Struct = Struct {
    name: "Replacement",
    fields: &[
        field("source", One(&SOURCE_SELECTOR)),
        field("targets", Many(&TARGET_SELECTOR, "[]*types.TargetSelector")),
        field("sourceValue", Text),
    ],
};

static SOURCE_SELECTOR: Struct = Struct {
    name: "SourceSelector",
    fields: &[
        part(&["ResId", "Gvk"], "group", Text),
        part(&["ResId", "Gvk"], "version", Text),
        part(&["ResId", "Gvk"], "kind", Text),
        part(&["ResId"], "name", Text),
        part(&["ResId"], "namespace", Text),
        field("fieldPath", Text),
        field("options", One(&FIELD_OPTIONS)),
    ],
};

static TARGET_SELECTOR: Struct = Struct {
    name: "TargetSelector",
    fields: &[
        field("select", One(&SELECTOR)),
        field("reject", Many(&SELECTOR, "[]*types.Selector")),
        field("fieldPaths", Texts),
        field("options", One(&FIELD_OPTIONS)),
    ],
};

static FIELD_OPTIONS: Struct = Struct {
    name: "FieldOptions",
    fields: &[
        field("delimiter", Text),
        field("index", Int("int")),
        field("encoding", Text),
        field("create", Flag),
    ],
};

static REPLICA: Struct =
    Struct { name: "Replica", fields: &[field("name", Text), field("count", Int("int64"))] };

static VAR: Struct = Struct {
    name: "Var",
    fields: &[
        field("name", Text),
        field("objref", One(&VAR_TARGET)),
        field("fieldref", One(&FIELD_SELECTOR)),
    ],
};

static VAR_TARGET: Struct = Struct {
    name: "Target",
    fields: &[
        field("apiVersion", Text),
        part(&["Gvk"], "group", Text),
        part(&["Gvk"], "version", Text),
        part(&["Gvk"], "kind", Text),
        field("name", Text),
        field("namespace", Text),
    ],
};

static FIELD_SELECTOR: Struct =
    Struct { name: "FieldSelector", fields: &[field("fieldPath", Text)] };

static SORT_OPTIONS: Struct = Struct {
    name: "SortOptions",
    fields: &[field("order", Text), field("legacySortOptions", One(&LEGACY_SORT_OPTIONS))],
};

static LEGACY_SORT_OPTIONS: Struct = Struct {
    name: "LegacySortOptions",
    fields: &[field("orderFirst", Texts), field("orderLast", Texts)],
};

static GENERATOR_OPTIONS: Struct = Struct {
    name: "GeneratorOptions",
    fields: &[
        field("labels", TextMap),
        field("annotations", TextMap),
        field("disableNameSuffixHash", Flag),
        field("immutable", Flag),
    ],
};

const GENERATOR_ARGS: &[&str] = &["GeneratorArgs"];
const SOURCES: &[&str] = &["GeneratorArgs", "KvPairSources"];

static CONFIG_MAP_ARGS: Struct = Struct {
    name: "ConfigMapArgs",
    fields: &[
        part(GENERATOR_ARGS, "namespace", Text),
        part(GENERATOR_ARGS, "name", Text),
        part(GENERATOR_ARGS, "behavior", Text),
        part(SOURCES, "literals", Texts),
        part(SOURCES, "files", Texts),
        part(SOURCES, "envs", Texts),
        part(SOURCES, "env", Text),
        part(GENERATOR_ARGS, "options", One(&GENERATOR_OPTIONS)),
    ],
};

static SECRET_ARGS: Struct = Struct {
    name: "SecretArgs",
    fields: &[
        part(GENERATOR_ARGS, "namespace", Text),
        part(GENERATOR_ARGS, "name", Text),
        part(GENERATOR_ARGS, "behavior", Text),
        part(SOURCES, "literals", Texts),
        part(SOURCES, "files", Texts),
        part(SOURCES, "envs", Texts),
        part(SOURCES, "env", Text),
        part(GENERATOR_ARGS, "options", One(&GENERATOR_OPTIONS)),
        field("type", Text),
    ],
};

/// The fields of all built-in plugins; each plugin reads its own.
pub(crate) static GENERATOR_PLUGIN: Struct = Struct {
    name: "GeneratorPlugin",
    fields: &[
        field("metadata", One(&METADATA)),
        field("namespace", Text),
        field("name", Text),
        field("behavior", Text),
        field("literals", Texts),
        field("files", Texts),
        field("envs", Texts),
        field("env", Text),
        field("options", One(&GENERATOR_OPTIONS)),
        field("type", Text),
    ],
};

pub(crate) static LABEL_PLUGIN: Struct = Struct {
    name: "LabelTransformerPlugin",
    fields: &[
        field("labels", TextMap),
        field("fieldSpecs", Many(&FIELD_SPEC, "[]types.FieldSpec")),
    ],
};

pub(crate) static ANNOTATIONS_PLUGIN: Struct = Struct {
    name: "AnnotationsTransformerPlugin",
    fields: &[
        field("annotations", TextMap),
        field("fieldSpecs", Many(&FIELD_SPEC, "[]types.FieldSpec")),
    ],
};

pub(crate) static HASH_PLUGIN: Struct = Struct { name: "HashTransformerPlugin", fields: &[] };

pub(crate) static NAMESPACE_PLUGIN: Struct = Struct {
    name: "NamespaceTransformerPlugin",
    fields: &[
        field("metadata", One(&METADATA)),
        field("fieldSpecs", Many(&FIELD_SPEC, "[]types.FieldSpec")),
        field("unsetOnly", Flag),
        field("setRoleBindingSubjects", Text),
    ],
};

pub(crate) static PREFIX_SUFFIX_PLUGIN: Struct = Struct {
    name: "PrefixTransformerPlugin",
    fields: &[
        field("prefix", Text),
        field("suffix", Text),
        field("fieldSpecs", Many(&FIELD_SPEC, "types.FsSlice")),
    ],
};

pub(crate) static IMAGE_PLUGIN: Struct = Struct {
    name: "ImageTagTransformerPlugin",
    fields: &[
        field("imageTag", One(&IMAGE)),
        field("fieldSpecs", Many(&FIELD_SPEC, "[]types.FieldSpec")),
    ],
};

pub(crate) static REPLICA_PLUGIN: Struct = Struct {
    name: "ReplicaCountTransformerPlugin",
    fields: &[
        field("replica", One(&REPLICA)),
        field("fieldSpecs", Many(&FIELD_SPEC, "[]types.FieldSpec")),
    ],
};

pub(crate) static REPLACEMENT_PLUGIN: Struct = Struct {
    name: "ReplacementTransformerPlugin",
    fields: &[field("replacements", Many(&REPLACEMENT_FIELD, "[]types.ReplacementField"))],
};

pub(crate) static PATCH_PLUGIN: Struct = Struct {
    name: "PatchTransformerPlugin",
    fields: &[
        field("path", Text),
        field("patch", Text),
        field("target", One(&SELECTOR)),
        field("options", One(&PATCH_ARGS)),
    ],
};

pub(crate) static PATCH_JSON_PLUGIN: Struct = Struct {
    name: "PatchJson6902TransformerPlugin",
    fields: &[field("target", One(&SELECTOR)), field("path", Text), field("jsonOp", Text)],
};

pub(crate) static PATCH_STRATEGIC_PLUGIN: Struct = Struct {
    name: "PatchStrategicMergeTransformerPlugin",
    fields: &[field("paths", Texts), field("patches", Text)],
};

pub(crate) static VALUE_ADD_PLUGIN: Struct = Struct {
    name: "ValueAddTransformerPlugin",
    fields: &[
        field("value", Text),
        field("targets", Many(&VALUE_TARGET, "[]builtins.Target")),
        field("targetFilePath", Text),
    ],
};

static VALUE_TARGET: Struct = Struct {
    name: "Target",
    fields: &[
        field("selector", One(&SELECTOR)),
        field("fieldPath", Text),
        field("filePathPosition", Int("int")),
    ],
};

pub(crate) static IAM_PLUGIN: Struct = Struct {
    name: "IAMPolicyGeneratorPlugin",
    fields: &[
        field("cloud", Text),
        field("kubernetesService", One(&SERVICE_ACCOUNT)),
        field("serviceAccount", One(&SERVICE_ACCOUNT)),
    ],
};

static SERVICE_ACCOUNT: Struct = Struct {
    name: "ServiceAccount",
    fields: &[field("name", Text), field("namespace", Text), field("projectId", Text)],
};

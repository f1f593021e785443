package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tektoncd/pipeline/pkg/apis/config"
	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1alpha1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/webhook/resourcesemantics"
	"sigs.k8s.io/yaml"
)

// splitDocuments is how kubectl and Pipelines as Code read a file: each document as JSON.
func splitDocuments(text string) ([]json.RawMessage, error) {
	reader := utilyaml.NewYAMLReader(bufferedReader(text))
	var documents []json.RawMessage
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		converted, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, err
		}
		if string(converted) != "null" {
			documents = append(documents, converted)
		}
	}
}

// admittedObject is one document after admission.
type admittedObject struct {
	kind   string
	name   string
	errors []string
	// object is the typed object with its defaults; nil where the kind is none of Tekton's.
	object resourcesemantics.GenericCRD
}

func (a *admittedObject) refuse(format string, arguments ...any) *admittedObject {
	a.errors = append(a.errors, fmt.Sprintf(format, arguments...))
	return a
}

// admit does what an API server with Tekton's CRDs and webhook does with a new object, of which kubectl or Pipelines as
// Code wants unknown fields refused.
func admit(text json.RawMessage) *admittedObject {
	admitted := &admittedObject{}
	var content map[string]any
	if err := decodeNumbers(text, &content); err != nil {
		return admitted.refuse("not an object: %v", err)
	}
	version, _ := content["apiVersion"].(string)
	admitted.kind, _ = content["kind"].(string)
	if metadata, ok := content["metadata"].(map[string]any); ok {
		admitted.name, _ = metadata["name"].(string)
	}
	if !strings.HasPrefix(version, "tekton.dev/") {
		return admitted
	}
	object := newObject(version, admitted.kind)
	if object == nil {
		return admitted.refuse("no matches for kind %q in version %q", admitted.kind, version)
	}
	checkMetadata(admitted, content["metadata"])
	if metadata, ok := content["metadata"].(map[string]any); ok {
		// An API server makes up names before it asks anybody.
		metadata["name"] = admitted.name
	}
	schema, err := schemaOf(admitted.kind, strings.TrimPrefix(version, "tekton.dev/"))
	if err != nil {
		return admitted.refuse("judge: %v", err)
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(content, schema.structural)
	for _, path := range pruning.PruneWithOptions(content, schema.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		admitted.refuse("unknown field %q", path)
	}
	defaulting.Default(content, schema.structural)
	if len(admitted.errors) > 0 {
		return admitted
	}
	sent, err := json.Marshal(content)
	if err != nil {
		return admitted.refuse("%v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(sent))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(object); err != nil {
		return admitted.refuse("cannot decode: %v", err)
	}
	ctx := apis.WithinCreate(config.ToContext(context.Background(), stockConfig()))
	object.SetDefaults(ctx)
	// What the mutating webhook sends back is what the schema is asked about.
	mutated, err := json.Marshal(object)
	if err != nil {
		return admitted.refuse("%v", err)
	}
	stored := map[string]any{}
	if err := decodeNumbers(mutated, &stored); err != nil {
		return admitted.refuse("%v", err)
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(stored, schema.structural)
	for _, problem := range validation.ValidateCustomResource(nil, stored, schema.validator) {
		admitted.refuse("%v", problem)
	}
	for _, problem := range listtype.ValidateListSetsAndMaps(nil, schema.structural, stored) {
		admitted.refuse("%v", problem)
	}
	// Validation changes what it looks at; what is stored is what was sent.
	admitted.object, _ = object.DeepCopyObject().(resourcesemantics.GenericCRD)
	if problem := object.Validate(ctx); problem != nil {
		if failure := problem.Filter(apis.ErrorLevel); failure != nil {
			for _, one := range failure.WrappedErrors() {
				admitted.refuse("%v", one)
			}
			if len(admitted.errors) == 0 {
				admitted.refuse("%v", failure)
			}
		}
	}
	return admitted
}

func newObject(version, kind string) resourcesemantics.GenericCRD {
	switch version + " " + kind {
	case "tekton.dev/v1 PipelineRun":
		return &v1.PipelineRun{}
	case "tekton.dev/v1 Pipeline":
		return &v1.Pipeline{}
	case "tekton.dev/v1 TaskRun":
		return &v1.TaskRun{}
	case "tekton.dev/v1 Task":
		return &v1.Task{}
	case "tekton.dev/v1beta1 PipelineRun":
		return &v1beta1.PipelineRun{}
	case "tekton.dev/v1beta1 Pipeline":
		return &v1beta1.Pipeline{}
	case "tekton.dev/v1beta1 TaskRun":
		return &v1beta1.TaskRun{}
	case "tekton.dev/v1beta1 Task":
		return &v1beta1.Task{}
	case "tekton.dev/v1beta1 StepAction":
		return &v1beta1.StepAction{}
	case "tekton.dev/v1alpha1 StepAction":
		return &v1alpha1.StepAction{}
	}
	return nil
}

// stockConfig is Tekton's configuration as it is installed.
func stockConfig() *config.Config {
	return config.FromContextOrDefaults(context.Background())
}

func checkMetadata(admitted *admittedObject, content any) {
	text, err := json.Marshal(content)
	if err != nil {
		admitted.refuse("metadata: %v", err)
		return
	}
	var metadata metav1.ObjectMeta
	unknown, err := decodeStrictly(text, &metadata)
	for _, problem := range append(unknown, err) {
		if problem != nil {
			admitted.refuse("metadata: %v", problem)
		}
	}
	if len(admitted.errors) > 0 {
		return
	}
	if metadata.Namespace == "" {
		metadata.Namespace = "default"
	}
	if metadata.Name == "" && metadata.GenerateName != "" {
		metadata.Name = madeUpName(metadata.GenerateName)
		admitted.name = metadata.Name
	}
	for _, problem := range apivalidation.ValidateObjectMeta(&metadata, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata")) {
		admitted.refuse("%v", problem)
	}
}

// madeUpName is what an API server makes of a beginning: the random part always has room.
func madeUpName(start string) string {
	return start[:min(len(start), 58)] + "abcde"
}

type crdSchema struct {
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
}

var (
	schemas     = map[string]*crdSchema{}
	schemasLock sync.Mutex
)

// schemaOf reads Tekton's own CRD, from the folder of its module.
func schemaOf(kind, version string) (*crdSchema, error) {
	schemasLock.Lock()
	defer schemasLock.Unlock()
	key := kind + "/" + version
	if known, ok := schemas[key]; ok {
		return known, nil
	}
	file := filepath.Join(os.Getenv("TEKTON_MODULE"), "config/300-crds", "300-"+strings.ToLower(kind)+".yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return nil, err
	}
	for _, served := range crd.Spec.Versions {
		if served.Name != version {
			continue
		}
		var internal apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(served.Schema.OpenAPIV3Schema, &internal, nil); err != nil {
			return nil, err
		}
		structural, err := structuralschema.NewStructural(&internal)
		if err != nil {
			return nil, err
		}
		validator, _, err := validation.NewSchemaValidator(&internal)
		if err != nil {
			return nil, err
		}
		schemas[key] = &crdSchema{structural: structural, validator: validator}
		return schemas[key], nil
	}
	return nil, fmt.Errorf("%s has no version %s", file, version)
}

package judge

import (
	"context"
	"errors"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline"
	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1alpha1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	_ "github.com/tektoncd/pipeline/pkg/pipelinerunmetrics/fake"
	"github.com/tektoncd/pipeline/pkg/reconciler/pipelinerun"
	"github.com/tektoncd/pipeline/pkg/reconciler/taskrun"
	th "github.com/tektoncd/pipeline/pkg/reconciler/testing"
	_ "github.com/tektoncd/pipeline/pkg/taskrunmetrics/fake"
	"github.com/tektoncd/pipeline/test"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clock "k8s.io/utils/clock/testing"
	"knative.dev/pkg/apis"
	cminformer "knative.dev/pkg/configmap/informer"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/reconciler"
	"knative.dev/pkg/system"
	_ "knative.dev/pkg/system/testing"
)

// imageCommand stands for the command of a step that takes its image's own: to ask a registry for it is no part of this.
const imageCommand = "judge:command-of-the-image"

// script says how the TaskRuns end. What it does not name succeeds, with results whose values say where they are from.
type script struct {
	// Tasks by the names of pipeline tasks.
	Tasks map[string]ending `json:"tasks,omitempty"`
}

type ending struct {
	Fails bool `json:"fails,omitempty"`
	// Results that are written, in place of all that the task declares.
	Results map[string]v1.ParamValue `json:"results,omitempty"`
	// Each says it of one TaskRun of a matrix, in the order of its combinations.
	Each []ending `json:"each,omitempty"`
}

// of is how the TaskRun of that name ends.
func (how ending) of(name string) ending {
	if len(how.Each) == 0 {
		return how
	}
	index, err := strconv.Atoi(name[strings.LastIndex(name, "-")+1:])
	if err != nil || index >= len(how.Each) {
		panic("there is no ending for " + name)
	}
	return how.Each[index]
}

// runAnswer is how a run ends.
type runAnswer struct {
	Status   string                 `json:"status"`
	Reason   string                 `json:"reason"`
	Message  string                 `json:"message"`
	Results  []v1.PipelineRunResult `json:"results,omitempty"`
	Skipped  map[string]string      `json:"skipped,omitempty"`
	TaskRuns []taskRunAnswer        `json:"taskRuns,omitempty"`
}

type taskRunAnswer struct {
	Task    string         `json:"task"`
	Name    string         `json:"name"`
	Params  map[string]any `json:"params"`
	Reason  string         `json:"reason,omitempty"`
	Message string         `json:"message,omitempty"`
	Steps   []stepAnswer   `json:"steps,omitempty"`
}

type stepAnswer struct {
	Name       string   `json:"name"`
	Image      string   `json:"image"`
	Command    []string `json:"command,omitempty"`
	Args       []string `json:"args,omitempty"`
	Script     string   `json:"script,omitempty"`
	WorkingDir string   `json:"workingDir,omitempty"`
	OnError    string   `json:"onError,omitempty"`
	// Env has its variables as NAME=value, in their order.
	Env []string `json:"env,omitempty"`
}

// simulate runs the file's first PipelineRun or TaskRun with Tekton's reconcilers, of which none knows that there is no
// cluster: each TaskRun is reconciled up to its Pod and then ended as the script says.
func simulate(t *testing.T, admitted []*admittedObject, how *script) *runAnswer {
	objects := gather(t, admitted)
	if len(objects.PipelineRuns)+len(objects.TaskRuns) == 0 {
		return nil
	}
	ctx, _ := th.SetupFakeContext(t)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	test.EnsureConfigurationConfigMapsExist(&objects)
	clients, informers := test.SeedTestData(t, ctx, objects)
	watcher := cminformer.NewInformedWatcher(clients.Kube, system.Namespace())
	options := pipeline.Options{Images: pipeline.Images{EntrypointImage: "entrypoint", NopImage: "nop", ShellImage: "shell", ShellImageWin: "shell", WorkingDirInitImage: "workingdirinit", SidecarLogResultsImage: "sidecar"}}
	now := clock.NewFakePassiveClock(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	runs := pipelinerun.NewController(&options, now)(ctx, watcher)
	tasks := taskrun.NewController(&options, now)(ctx, watcher)
	for _, one := range []*controller.Impl{runs, tasks} {
		if aware, ok := one.Reconciler.(reconciler.LeaderAware); ok {
			if err := aware.Promote(reconciler.UniversalBucket(), func(reconciler.Bucket, types.NamespacedName) {}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := watcher.Start(ctx.Done()); err != nil {
		t.Fatal(err)
	}
	said := &runAnswer{}
	seen := map[string]bool{}
	finish := func(name, namespace string) {
		if seen[name] {
			return
		}
		seen[name] = true
		failure := tasks.Reconciler.Reconcile(ctx, namespace+"/"+name)
		run, err := clients.Pipeline.TektonV1().TaskRuns(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		task := run.Labels[pipeline.PipelineTaskLabelKey]
		described := describe(run, task)
		// It tries again for as long as the TaskRun has retries.
		if again, _ := controller.IsRequeueKey(failure); failure != nil && !again && !run.IsDone() {
			described.Reason, described.Message = "Retrying", failure.Error()
		}
		said.TaskRuns = append(said.TaskRuns, described)
		if run.IsDone() {
			return
		}
		end(run, how.Tasks[task].of(run.Name))
		if _, err := clients.Pipeline.TektonV1().TaskRuns(namespace).UpdateStatus(ctx, run, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := informers.TaskRun.Informer().GetIndexer().Update(run); err != nil {
			t.Fatal(err)
		}
	}
	if len(objects.PipelineRuns) == 0 {
		only := objects.TaskRuns[0]
		finish(only.Name, only.Namespace)
		return said
	}
	run := objects.PipelineRuns[0]
	for round := 0; round < 200; round++ {
		failure := runs.Reconciler.Reconcile(ctx, run.Namespace+"/"+run.Name)
		current, err := clients.Pipeline.TektonV1().PipelineRuns(run.Namespace).Get(ctx, run.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if current.IsDone() {
			condition := current.Status.GetCondition(apis.ConditionSucceeded)
			said.Status, said.Reason, said.Message = string(condition.Status), condition.Reason, condition.Message
			said.Results = current.Status.Results
			said.Skipped = map[string]string{}
			for _, skipped := range current.Status.SkippedTasks {
				said.Skipped[skipped.Name] = string(skipped.Reason)
			}
			return said
		}
		children, err := clients.Pipeline.TektonV1().TaskRuns(run.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before := len(seen)
		sort.Slice(children.Items, func(i, j int) bool { return children.Items[i].Name < children.Items[j].Name })
		for _, child := range children.Items {
			finish(child.Name, child.Namespace)
		}
		if len(seen) == before && round > 0 && failure != nil {
			said.Status, said.Reason, said.Message = "Unknown", "Stuck", failure.Error()
			return said
		}
	}
	said.Status, said.Reason = "Unknown", "Endless"
	return said
}

// gather turns what was admitted into what the reconcilers read: objects of v1, as they are stored.
func gather(t *testing.T, admitted []*admittedObject) test.Data {
	ctx := context.Background()
	data := test.Data{}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, one := range admitted {
		if len(one.errors) > 0 {
			continue
		}
		switch object := one.object.(type) {
		case *v1beta1.PipelineRun:
			stored := &v1.PipelineRun{}
			must(object.ConvertTo(ctx, stored))
			data.PipelineRuns = append(data.PipelineRuns, stored)
		case *v1beta1.TaskRun:
			stored := &v1.TaskRun{}
			must(object.ConvertTo(ctx, stored))
			data.TaskRuns = append(data.TaskRuns, stored)
		case *v1beta1.Pipeline:
			stored := &v1.Pipeline{}
			must(object.ConvertTo(ctx, stored))
			data.Pipelines = append(data.Pipelines, stored)
		case *v1beta1.Task:
			stored := &v1.Task{}
			must(object.ConvertTo(ctx, stored))
			data.Tasks = append(data.Tasks, stored)
		case *v1alpha1.StepAction:
			stored := &v1beta1.StepAction{}
			must(object.ConvertTo(ctx, stored))
			data.StepActions = append(data.StepActions, stored)
		case *v1beta1.StepAction:
			data.StepActions = append(data.StepActions, object)
		case *v1.PipelineRun:
			data.PipelineRuns = append(data.PipelineRuns, object)
		case *v1.TaskRun:
			data.TaskRuns = append(data.TaskRuns, object)
		case *v1.Pipeline:
			data.Pipelines = append(data.Pipelines, object)
		case *v1.Task:
			data.Tasks = append(data.Tasks, object)
		}
	}
	if len(data.PipelineRuns) > 0 {
		data.PipelineRuns, data.TaskRuns = data.PipelineRuns[:1], nil
	} else if len(data.TaskRuns) > 0 {
		data.TaskRuns = data.TaskRuns[:1]
	}
	for _, object := range data.PipelineRuns {
		place(&object.ObjectMeta)
		if object.Spec.PipelineSpec != nil {
			withCommands(object.Spec.PipelineSpec)
		}
	}
	for _, object := range data.TaskRuns {
		place(&object.ObjectMeta)
		if object.Spec.TaskSpec != nil {
			withCommand(object.Spec.TaskSpec)
		}
	}
	for _, object := range data.Pipelines {
		place(&object.ObjectMeta)
		withCommands(&object.Spec)
	}
	for _, object := range data.Tasks {
		place(&object.ObjectMeta)
		withCommand(&object.Spec)
	}
	for _, object := range data.StepActions {
		place(&object.ObjectMeta)
		if len(object.Spec.Command) == 0 && object.Spec.Script == "" {
			object.Spec.Command = []string{imageCommand}
		}
	}
	accounts := map[string]bool{"default": true}
	for _, object := range data.PipelineRuns {
		accounts[object.Spec.TaskRunTemplate.ServiceAccountName] = true
		for _, spec := range object.Spec.TaskRunSpecs {
			accounts[spec.ServiceAccountName] = true
		}
	}
	for _, object := range data.TaskRuns {
		accounts[object.Spec.ServiceAccountName] = true
	}
	for name := range accounts {
		if name != "" {
			data.ServiceAccounts = append(data.ServiceAccounts, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}})
		}
	}
	return data
}

// place puts an object into the one namespace, with the name that an API server would make up.
func place(object *metav1.ObjectMeta) {
	object.Namespace = "default"
	if object.Name == "" {
		object.Name = madeUpName(object.GenerateName)
	}
	object.UID = types.UID("judge-" + object.Name)
}

func withCommands(spec *v1.PipelineSpec) {
	for _, tasks := range [][]v1.PipelineTask{spec.Tasks, spec.Finally} {
		for index := range tasks {
			if tasks[index].TaskSpec != nil {
				withCommand(&tasks[index].TaskSpec.TaskSpec)
			}
		}
	}
}

func withCommand(spec *v1.TaskSpec) {
	for index := range spec.Steps {
		step := &spec.Steps[index]
		inherits := spec.StepTemplate != nil && len(spec.StepTemplate.Command) > 0
		if step.Ref == nil && len(step.Command) == 0 && step.Script == "" && !inherits {
			step.Command = []string{imageCommand}
		}
	}
}

func describe(run *v1.TaskRun, task string) taskRunAnswer {
	said := taskRunAnswer{Task: task, Name: run.Name, Params: map[string]any{}}
	for _, param := range run.Spec.Params {
		said.Params[param.Name] = param.Value
	}
	if condition := run.Status.GetCondition(apis.ConditionSucceeded); condition != nil && condition.IsFalse() {
		said.Reason, said.Message = condition.Reason, condition.Message
	}
	if run.Status.TaskSpec == nil {
		return said
	}
	merged := run.Status.TaskSpec.DeepCopy()
	steps, err := v1.MergeStepsWithStepTemplate(merged.StepTemplate, merged.Steps)
	if err != nil {
		said.Message = err.Error()
	}
	for _, step := range steps {
		one := stepAnswer{Name: step.Name, Image: step.Image, Args: step.Args, Script: step.Script, WorkingDir: step.WorkingDir, OnError: string(step.OnError)}
		if len(step.Command) != 1 || step.Command[0] != imageCommand {
			one.Command = step.Command
		}
		for _, variable := range step.Env {
			one.Env = append(one.Env, variable.Name+"="+variable.Value)
		}
		said.Steps = append(said.Steps, one)
	}
	return said
}

func end(run *v1.TaskRun, how ending) {
	if how.Fails {
		reason := v1.TaskRunReasonFailed
		if run.Annotations[v1.PipelineTaskOnErrorAnnotation] == string(v1.PipelineTaskContinue) {
			reason = v1.TaskRunReasonFailureIgnored
		}
		run.Status.MarkResourceFailed(reason, errors.New("as the script says"))
	} else {
		run.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: corev1.ConditionTrue, Reason: string(v1.TaskRunReasonSuccessful)})
	}
	if run.Status.StartTime == nil {
		run.Status.StartTime = &metav1.Time{Time: time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)}
	}
	run.Status.CompletionTime = &metav1.Time{Time: time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)}
	if run.Status.TaskSpec == nil || (how.Fails && how.Results == nil) {
		return
	}
	written := map[string]bool{}
	for _, result := range run.Status.TaskSpec.Results {
		// Declared twice, it is read once.
		if written[result.Name] {
			continue
		}
		written[result.Name] = true
		value := ownValue(run.Name, result)
		if how.Results != nil {
			given, ok := how.Results[result.Name]
			if !ok {
				continue
			}
			value = given
		}
		run.Status.Results = append(run.Status.Results, v1.TaskRunResult{Name: result.Name, Type: v1.ResultsType(value.Type), Value: value})
	}
}

// ownValue is a result's value where the script gives none: it says which TaskRun's result it is.
func ownValue(run string, result v1.TaskResult) v1.ParamValue {
	text := run + "/" + result.Name
	switch result.Type {
	case v1.ResultsTypeArray:
		return v1.ParamValue{Type: v1.ParamTypeArray, ArrayVal: []string{text + "/0", text + "/1", text + "/2"}}
	case v1.ResultsTypeObject:
		value := map[string]string{}
		for key := range result.Properties {
			value[key] = text + "/" + key
		}
		return v1.ParamValue{Type: v1.ParamTypeObject, ObjectVal: value}
	default:
		return v1.ParamValue{Type: v1.ParamTypeString, StringVal: text}
	}
}

// Command judge-pac answers what Pipelines as Code itself makes of a webhook and a .tekton folder: one JSON request a line
// on standard input, one JSON answer a line on standard output. Its controller's own functions do the work, with clients
// that hold their objects in memory and a provider whose API has what the request says.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	githubapi "github.com/google/go-github/v85/github"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/apis/pipelinesascode/v1alpha1"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/consoleui"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/customparams"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/events"
	pacfake "github.com/openshift-pipelines/pipelines-as-code/pkg/generated/clientset/versioned/fake"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/kubeinteraction"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/opscomments"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/params"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/params/info"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/params/triggertype"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/pipelineascode"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/provider"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/provider/github"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/provider/gitlab"
	"github.com/openshift-pipelines/pipelines-as-code/pkg/templates"
	testprovider "github.com/openshift-pipelines/pipelines-as-code/pkg/test/provider"
	pipelinev1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	tektonfake "github.com/tektoncd/pipeline/pkg/client/clientset/versioned/fake"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

const namespace = "tekton-local"

// request is one question.
type request struct {
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
	// Comment is made on the pull request that the body is about.
	Comment *string `json:"comment,omitempty"`
	// Pull is what GitHub's API says of the pull request that an issue_comment is about.
	Pull json.RawMessage `json:"pull,omitempty"`
	// CommitMessage is of the commit that the provider's API is asked for.
	CommitMessage string              `json:"commitMessage,omitempty"`
	Files         map[string][]string `json:"files,omitempty"`
	// Folder is what is in .tekton, in its order.
	Folder []struct{ Name, Text string } `json:"folder,omitempty"`
	// Repository is the spec of the Repository.
	Repository *v1alpha1.RepositorySpec     `json:"repository,omitempty"`
	Secrets    map[string]map[string]string `json:"secrets,omitempty"`
	// Checkout has files of the repository, by path.
	Checkout map[string]string `json:"checkout,omitempty"`
	// Shapes asks for what is kept of bodies, and nothing else.
	Shapes bool `json:"shapes,omitempty"`
	// Text is asked for with its placeholders replaced.
	Text *string `json:"text,omitempty"`
}

// answer is what comes of it.
type answer struct {
	// Refused is why the event is not acted on.
	Refused   string            `json:"refused,omitempty"`
	Trigger   string            `json:"trigger,omitempty"`
	Type      string            `json:"type,omitempty"`
	Variables map[string]string `json:"variables,omitempty"`
	Text      string            `json:"text,omitempty"`
	// Runs are the PipelineRuns that were created.
	Runs []*pipelinev1.PipelineRun `json:"runs,omitempty"`
	// Said has the warnings and errors of the log.
	Said   []string                     `json:"said,omitempty"`
	Shapes map[string]map[string]string `json:"shapes,omitempty"`
	// Panic is what the controller crashes with.
	Panic string `json:"panic,omitempty"`
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	output.SetEscapeHTML(false)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		said := answer{}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			said.Panic = err.Error()
		} else if asked.Shapes {
			said.Shapes = shapes()
		} else {
			said.answer(asked)
		}
		if err := output.Encode(said); err != nil {
			panic(err)
		}
	}
}

func (said *answer) answer(asked request) {
	core, logs := observer.New(zapcore.WarnLevel)
	defer func() {
		if r := recover(); r != nil {
			said.Panic = fmt.Sprint(r)
		}
		for _, entry := range logs.All() {
			said.Said = append(said.Said, entry.Message)
		}
	}()
	ctx := info.StoreNS(context.Background(), namespace)
	logger := zap.New(core).Sugar()
	repository := repositoryOf(asked)
	run, created := newRun(asked, repository, logger)
	event, err := parse(ctx, asked, run, logger)
	if err != nil || event == nil {
		said.Refused = fmt.Sprint(err)
		return
	}
	said.Trigger, said.Type = event.TriggerTarget.String(), event.EventType
	provided := &providerOfRequest{asked: asked}
	provided.AllowIT = true
	provided.FilesInsideRepo = asked.Checkout
	provided.WantAllChangedFiles = asked.Files["all"]
	provided.WantAddedFiles = asked.Files["added"]
	provided.WantDeletedFiles = asked.Files["deleted"]
	provided.WantModifiedFiles = asked.Files["modified"]
	provided.WantRenamedFiles = asked.Files["renamed"]
	said.replace(ctx, asked, run, event, repository, provided, logger)
	if len(asked.Folder) == 0 {
		return
	}
	// What the controller looks at between reading an event and acting on it.
	asks := event.EventType == "pull_request" || event.EventType == "Merge Request"
	if asks || (event.EventType == "push" && event.CommitMetadataIncomplete) {
		_ = provided.GetCommitInfo(ctx, event)
	}
	if event.HasSkipCommand || (event.EventType == "push" && provider.SkipCI(event.SHATitle)) {
		said.Refused = "skip ci"
		return
	}
	pacInfo := run.Info.GetPacOpts()
	kubernetes, _ := kubeinteraction.NewKubernetesInteraction(run)
	controller := pipelineascode.NewPacs(event, provided, run, &pacInfo, kubernetes, logger, &v1alpha1.Repository{})
	if err := controller.Run(ctx); err != nil {
		said.Said = append(said.Said, err.Error())
	}
	said.Runs = *created
}

// replace answers with the variables of the event, and the text in which they were put.
func (said *answer) replace(ctx context.Context, asked request, run *params.Run, event *info.Event, repository *v1alpha1.Repository, provided provider.Interface, logger *zap.SugaredLogger) {
	kubernetes, _ := kubeinteraction.NewKubernetesInteraction(run)
	emitter := events.NewEventEmitter(run.Clients.Kube, logger)
	custom := customparams.NewCustomParams(event, repository, run, kubernetes, emitter, provided)
	variables, files, err := custom.GetParams(ctx)
	if err != nil {
		said.Said = append(said.Said, err.Error())
	}
	if variables == nil {
		variables = map[string]string{}
	}
	if event.PullRequestNumber != 0 {
		variables["pull_request_number"] = fmt.Sprint(event.PullRequestNumber)
	}
	said.Variables = variables
	if asked.Text != nil {
		said.Text = templates.ReplacePlaceHoldersVariables(*asked.Text, variables, event.Event, event.Request.Header, files)
	}
}

// parse has the event that the provider makes of the request.
func parse(ctx context.Context, asked request, run *params.Run, logger *zap.SugaredLogger) (*info.Event, error) {
	sent, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost", nil)
	if err != nil {
		return nil, err
	}
	for name, value := range asked.Headers {
		sent.Header.Set(name, value)
	}
	pacInfo := run.Info.GetPacOpts()
	hub := github.New()
	hub.Run = run
	lab := &gitlab.Provider{}
	for _, one := range []provider.Interface{hub, lab} {
		is, heeds, _, reason, err := one.Detect(sent, string(asked.Body), logger)
		if !is {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !heeds {
			return nil, fmt.Errorf("not heeded: %s", reason)
		}
		one.SetLogger(logger)
		one.SetPacInfo(&pacInfo)
		if asked.Pull != nil {
			hub.SetGithubClient(githubapi.NewClient(&http.Client{Transport: pullAPI(asked.Pull)}))
		}
		event, err := one.ParsePayload(ctx, run, sent, string(asked.Body))
		if err != nil || event == nil {
			return nil, err
		}
		event.Request = &info.Request{Header: sent.Header, Payload: bytes.TrimSpace(asked.Body)}
		if asked.Comment != nil && event.TriggerTarget == triggertype.Push {
			// For a comment on a commit the provider knows branches by their names.
			event.BaseBranch = strings.TrimPrefix(event.BaseBranch, "refs/heads/")
			event.HeadBranch = strings.TrimPrefix(event.HeadBranch, "refs/heads/")
		}
		if asked.Comment != nil {
			opscomments.SetEventTypeAndTargetPR(event, *asked.Comment, provider.GetGitOpsCommentPrefix(repositoryOf(asked)))
		}
		return event, nil
	}
	return nil, fmt.Errorf("no provider knows it")
}

// repositoryOf has the Repository whose webhook it is.
func repositoryOf(asked request) *v1alpha1.Repository {
	var body struct {
		Repository struct {
			URL string `json:"html_url"`
		} `json:"repository"`
		Project struct {
			URL string `json:"web_url"`
		} `json:"project"`
	}
	_ = json.Unmarshal(asked.Body, &body)
	repository := &v1alpha1.Repository{ObjectMeta: metav1.ObjectMeta{Name: "repository", Namespace: namespace}}
	if asked.Repository != nil {
		repository.Spec = *asked.Repository
	}
	repository.Spec.URL = body.Repository.URL + body.Project.URL
	repository.Spec.GitProvider = &v1alpha1.GitProvider{Secret: &v1alpha1.Secret{Name: "judge-token"}}
	return repository
}

// newRun has the controller's clients, and the PipelineRuns that will be created with them.
func newRun(asked request, repository *v1alpha1.Repository, logger *zap.SugaredLogger) (*params.Run, *[]*pipelinev1.PipelineRun) {
	secrets := []runtime.Object{secretOf("judge-token", map[string]string{"provider.token": "x"})}
	for name, data := range asked.Secrets {
		secrets = append(secrets, secretOf(name, data))
	}
	run := params.New()
	run.Clients.InitClients()
	run.Clients.Log = logger
	run.Clients.SetConsoleUI(consoleui.FallBackConsole{})
	run.Clients.Kube = kubefake.NewSimpleClientset(secrets...)
	run.Clients.PipelineAsCode = pacfake.NewSimpleClientset(repository.DeepCopy())
	tekton := tektonfake.NewSimpleClientset()
	created := &[]*pipelinev1.PipelineRun{}
	var lock sync.Mutex
	tekton.PrependReactor("create", "pipelineruns", func(action clienttesting.Action) (bool, runtime.Object, error) {
		lock.Lock()
		defer lock.Unlock()
		made := action.(clienttesting.CreateAction).GetObject().(*pipelinev1.PipelineRun).DeepCopy()
		*created = append(*created, made)
		return true, made, nil
	})
	tekton.PrependReactor("patch", "pipelineruns", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &pipelinev1.PipelineRun{}, nil
	})
	run.Clients.Tekton = tekton
	return run, created
}

func secretOf(name string, data map[string]string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Data: map[string][]byte{}}
	for key, value := range data {
		secret.Data[key] = []byte(value)
	}
	return secret
}

// providerOfRequest is a provider that has the commit's message and the folder of the request.
type providerOfRequest struct {
	testprovider.TestProviderImp
	asked request
}

func (p *providerOfRequest) GetCommitInfo(_ context.Context, event *info.Event) error {
	event.HasSkipCommand = provider.SkipCI(p.asked.CommitMessage)
	if event.SHATitle == "" {
		event.SHATitle, _, _ = strings.Cut(p.asked.CommitMessage, "\n")
	}
	return nil
}

// GetTektonDir has the files one after another, as all providers do it.
func (p *providerOfRequest) GetTektonDir(context.Context, *info.Event, string, string) (string, error) {
	all := ""
	for _, file := range p.asked.Folder {
		if err := provider.ValidateYaml([]byte(file.Text), file.Name); err != nil {
			return "", err
		}
		if all != "" && !strings.HasPrefix(file.Text, "---") {
			all += "---"
		}
		all += "\n" + file.Text + "\n"
	}
	return all, nil
}

// pullAPI is GitHub's API, as far as it is asked about one pull request.
type pullAPI json.RawMessage

func (p pullAPI) RoundTrip(sent *http.Request) (*http.Response, error) {
	text, status := "{}", http.StatusNotFound
	if strings.Contains(sent.URL.Path, "/pulls/") {
		text, status = string(p), http.StatusOK
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: sent}, nil
}

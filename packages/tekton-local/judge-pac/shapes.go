package main

import (
	"encoding/json"
	"reflect"
	"strings"

	githubapi "github.com/google/go-github/v85/github"
	gitlabapi "gitlab.com/gitlab-org/api/client-go"
)

// shapes says what is kept of a webhook's body when it is read into a provider's types and written again: the fields of
// each type, as `name: type,options` in the words of Go.
func shapes() map[string]map[string]string {
	known := map[string]map[string]string{}
	for event, of := range map[string]any{
		"push":               githubapi.PushEvent{},
		"pull_request":       githubapi.PullRequestEvent{},
		"Push Hook":          gitlabapi.PushEvent{},
		"Tag Push Hook":      gitlabapi.TagEvent{},
		"Merge Request Hook": gitlabapi.MergeEvent{},
		"Note Hook":          gitlabapi.MergeCommentEvent{},
	} {
		known[event] = fieldsOf(reflect.TypeOf(of), known)
	}
	return known
}

func fieldsOf(of reflect.Type, known map[string]map[string]string) map[string]string {
	fields := map[string]string{}
	for _, field := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || name == "-" || (field.Anonymous && name == "") {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if options != "" {
			options = "," + options
		}
		fields[name] = nameOf(field.Type, known) + options
	}
	return fields
}

func nameOf(of reflect.Type, known map[string]map[string]string) string {
	switch kind := of.Kind(); {
	case kind == reflect.Pointer:
		return "*" + nameOf(of.Elem(), known)
	case of.Implements(reflect.TypeFor[json.Marshaler]()):
		return of.String()
	case kind == reflect.Slice:
		return "[]" + nameOf(of.Elem(), known)
	case kind == reflect.Map:
		return "map " + nameOf(of.Elem(), known)
	case kind == reflect.Interface:
		return "any"
	case kind == reflect.String, kind == reflect.Bool:
		return kind.String()
	case kind == reflect.Struct:
		name := of.String()
		if _, ok := known[name]; !ok {
			known[name] = map[string]string{}
			known[name] = fieldsOf(of, known)
		}
		return name
	}
	return "number"
}

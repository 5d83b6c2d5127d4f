// Records what Flux's notifiers send. Reads cases on standard input, writes the same cases with
// the requests that each made (or the error) to standard output. Every host is answered by a
// proxy inside this process, with the replies that the case names.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fluxcd/notification-controller/internal/notifier"
)

type provider struct {
	Type     string            `json:"type"`
	Address  string            `json:"address,omitempty"`
	Channel  string            `json:"channel,omitempty"`
	Username string            `json:"username,omitempty"`
	Password string            `json:"password,omitempty"`
	Token    string            `json:"token,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
	StatusID string            `json:"statusID,omitempty"`
	UID      string            `json:"uid,omitempty"`
}

type reply struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

type request struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

type testCase struct {
	Name     string        `json:"name"`
	Provider provider      `json:"provider"`
	Event    eventv1.Event `json:"event"`
	Replies  []reply       `json:"replies,omitempty"`
	Requests []request     `json:"requests,omitempty"`
	Error    string        `json:"error,omitempty"`
}

// What only says which library sent the request.
var boring = map[string]bool{
	"User-Agent": true, "Accept-Encoding": true, "Content-Length": true, "Proxy-Connection": true,
	"Accept": true, "Dd-Operation-Id": true, "Traceparent": true,
}

// Sentry's library asks no proxy, so the address of its cases becomes the proxy's own.
const (
	withoutProxy = "sentry.example.org"
	sentryKey    = "pub@"
)

type recorder struct {
	sync.Mutex
	address  string
	replies  []reply
	requests []request
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	headers := map[string]string{}
	for name, values := range req.Header {
		if !boring[name] {
			headers[name] = strings.Join(values, ", ")
		}
	}
	text := string(body)
	if req.Header.Get("Content-Type") == "application/x-protobuf" {
		text = spans(body)
	}
	if req.Header.Get("Content-Type") == "application/x-sentry-envelope" {
		text = envelope(body)
	}
	url := req.URL.String()
	if req.URL.Host == "" { // the one library that asks no proxy
		url = "https://" + withoutProxy + url
		text = strings.ReplaceAll(text, "http://"+sentryKey+r.address, "https://"+sentryKey+withoutProxy)
	}
	r.Lock()
	defer r.Unlock()
	r.requests = append(r.requests, request{req.Method, url, headers, text})
	for _, reply := range r.replies {
		if reply.Method == req.Method && strings.HasPrefix(req.URL.Path, reply.Path) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(reply.Status)
			body := &bytes.Buffer{}
			check(json.Compact(body, reply.Body))
			w.Write(body.Bytes())
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, "{}")
}

// The spans of an export in OTLP's JSON, without what no two runs share.
func spans(body []byte) string {
	export := &collector.ExportTraceServiceRequest{}
	check(proto.Unmarshal(body, export))
	for _, resource := range export.ResourceSpans {
		resource.SchemaUrl = ""
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				span.SpanId, span.EndTimeUnixNano, span.Flags = nil, 0, 0
			}
		}
	}
	text, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(export)
	check(err)
	// The mapping of ids is the one thing in which OTLP differs from protobuf's own JSON.
	for _, resource := range export.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				plain, wanted := base64.StdEncoding.EncodeToString(span.TraceId), hex.EncodeToString(span.TraceId)
				text = []byte(strings.ReplaceAll(string(text), plain, wanted))
			}
		}
	}
	return string(text)
}

// The item of an envelope without what describes this process, as JSON.
func envelope(body []byte) string {
	lines := strings.SplitN(string(body), "\n", 3)
	var header, item map[string]any
	check(json.Unmarshal([]byte(lines[1]), &header))
	check(json.Unmarshal([]byte(lines[2]), &item))
	for _, key := range []string{"modules", "sdk", "platform", "event_id", "spans"} {
		delete(item, key)
	}
	if header["type"] == "transaction" {
		delete(item, "server_name") // the host's
		delete(item, "level")
	}
	contexts := item["contexts"].(map[string]any)
	for _, key := range []string{"device", "os", "runtime"} {
		delete(contexts, key)
	}
	if trace, ok := contexts["trace"].(map[string]any); ok {
		trace["trace_id"], trace["span_id"] = "", ""
	}
	text, err := json.Marshal(map[string]any{"type": header["type"], "item": item})
	check(err)
	return string(text)
}

// A proxy that answers for every host itself, over TLS too.
type proxy struct {
	recorder  *recorder
	authority tls.Certificate
	root      *x509.Certificate
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodConnect {
		p.recorder.ServeHTTP(w, req)
		return
	}
	host := req.Host
	conn, _, err := w.(http.Hijacker).Hijack()
	check(err)
	io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	name, _, _ := net.SplitHostPort(host)
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{p.certificate(name)}})
	go func() {
		defer secure.Close()
		reader := bufio.NewReader(secure)
		for {
			inner, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			inner.URL.Scheme = "https"
			inner.URL.Host = strings.TrimSuffix(host, ":443")
			answer := &buffered{header: http.Header{}}
			p.recorder.ServeHTTP(answer, inner)
			response := http.Response{
				StatusCode: answer.status(), ProtoMajor: 1, ProtoMinor: 1, Header: answer.header,
				Body: io.NopCloser(strings.NewReader(answer.body)), ContentLength: int64(len(answer.body)),
			}
			if response.Write(secure) != nil {
				return
			}
		}
	}()
}

type buffered struct {
	header http.Header
	code   int
	body   string
}

func (b *buffered) Header() http.Header  { return b.header }
func (b *buffered) WriteHeader(code int) { b.code = code }
func (b *buffered) Write(data []byte) (int, error) {
	b.body += string(data)
	return len(data), nil
}
func (b *buffered) status() int {
	if b.code == 0 {
		return 200
	}
	return b.code
}

func (p *proxy) certificate(host string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{host},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.root, &key.PublicKey, p.authority.PrivateKey)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Starts the proxy and makes this process use and trust it.
func start(recorder *recorder) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "oracle"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(err)
	root, err := x509.ParseCertificate(der)
	check(err)
	file := filepath.Join(os.TempDir(), fmt.Sprintf("oracle-%d.pem", os.Getpid()))
	check(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	recorder.address = listener.Addr().String()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		os.Setenv(name, "http://"+listener.Addr().String())
	}
	os.Setenv("NO_PROXY", "")
	os.Setenv("SSL_CERT_FILE", file)
	go http.Serve(listener, &proxy{recorder, tls.Certificate{PrivateKey: key}, root})
}

func run(recorder *recorder, c *testCase) error {
	p := c.Provider
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	ctx = notifier.WithAlertMetadata(ctx, metav1.ObjectMeta{
		Name: "on-call", Namespace: "apps", UID: types.UID("6f1c2a9e-9f5b-4d5e-8a57-2f3a7c9b1d10"),
	})
	var proxied string
	if p.Type == "gitea" || p.Type == "giteapullrequestcomment" || p.Type == "otel" {
		proxied = os.Getenv("HTTP_PROXY") // these have a transport of their own
	}
	address := strings.Replace(p.Address, "https://"+sentryKey+withoutProxy, "http://"+sentryKey+recorder.address, 1)
	factory := notifier.NewFactory(ctx,
		notifier.WithURL(address), notifier.WithChannel(p.Channel), notifier.WithUsername(p.Username),
		notifier.WithPassword(p.Password), notifier.WithToken(p.Token), notifier.WithHeaders(p.Headers),
		notifier.WithCommitStatus(p.StatusID), notifier.WithProviderUID(p.UID), notifier.WithProxyURL(proxied),
		notifier.WithProviderName("provider"), notifier.WithProviderNamespace("apps"),
	)
	n, err := factory.Notifier(p.Type)
	if err != nil {
		return err
	}
	event := *c.Event.DeepCopy()
	return n.Post(ctx, event)
}

func main() {
	recorder := &recorder{}
	start(recorder)
	var cases []testCase
	check(json.NewDecoder(os.Stdin).Decode(&cases))
	for i := range cases {
		c := &cases[i]
		recorder.Lock()
		recorder.replies, recorder.requests = c.Replies, nil
		recorder.Unlock()
		c.Error = ""
		if err := run(recorder, c); err != nil {
			c.Error = err.Error()
		}
		if c.Provider.Type == "sentry" {
			time.Sleep(300 * time.Millisecond) // it sends behind its caller's back
		}
		recorder.Lock()
		c.Requests = recorder.requests
		recorder.Unlock()
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	check(encoder.Encode(cases))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

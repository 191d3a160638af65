// SPDX-License-Identifier: Apache-2.0
// The words in which gatelab says what happened: phases, outcomes and reasons. They appear unchanged in the access log,
// traces, metric labels, problem documents and scenarios; docs/errors.md lists them and a test compares. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gatelab::observe {

// Design §4's table, in order.
enum class Phase : std::uint8_t {
  Accept, Handshake, Parse, Match, Access, PreLimit, Authenticate, Authorize, Limit, Validate, Transform, CacheLookup,
  Forward, CacheStore, TransformResponse, Respond, Log,
};
std::string_view name(Phase phase) noexcept;  // "pre-limit"

enum class Outcome : std::uint8_t { Allow, Deny, Respond, Error, Skip, Observe };
std::string_view name(Outcome outcome) noexcept;  // "allow"

// A reason of the gateway itself (protocol reasons are http::Rule's). `by` is who ends an exchange with it.
struct Reason {
  std::string_view word;     // stable: connect-failure
  std::uint16_t status;      // 0: no response is sent
  std::string_view title;    // for the problem document
  std::string_view meaning;  // one sentence for docs/errors.md
};
std::span<const Reason> all_reasons() noexcept;
// Null if the word is not in the table. A Rule's word is not found here.
const Reason* find_reason(std::string_view word) noexcept;

namespace reason {
// routing
inline constexpr Reason kNoRoute{"no-route", 404, "Not Found", "no route matches host, path, headers and query"};
inline constexpr Reason kMethodNotAllowed{"method-not-allowed", 405, "Method Not Allowed", "routes match all but the method; Allow lists theirs"};
inline constexpr Reason kAmbiguousPath{"ambiguous-path", 400, "Bad Request", "the path as received would match another route than its canonical form"};
inline constexpr Reason kServerOptions{"server-options", 204, "", "OPTIONS asked the gateway itself: `*`, or Max-Forwards: 0"};
inline constexpr Reason kLoopDetected{"loop-detected", 508, "Loop Detected", "Via says that the request has passed this gateway four times"};
// path
inline constexpr Reason kRewrittenPath{"rewritten-path", 400, "Bad Request", "what a path policy makes of the request is no path that may be forwarded"};
// api-key; jwt has unknown-key too, for a token's signing key
inline constexpr Reason kMissingKey{"missing-key", 401, "Unauthorized", "the request carries no API key"};
inline constexpr Reason kUnknownKey{"unknown-key", 401, "Unauthorized", "no consumer has this API key; no key of the issuer's has the token's kid"};
inline constexpr Reason kDuplicateKey{"duplicate-key", 401, "Unauthorized", "the request carries more than one API key"};
inline constexpr Reason kNotInGroup{"not-in-group", 403, "Forbidden", "the consumer is not in a group that this route allows"};
// jwt
inline constexpr Reason kMissingToken{"missing-token", 401, "Unauthorized", "the request carries no token"};
inline constexpr Reason kDuplicateToken{"duplicate-token", 401, "Unauthorized", "the request carries more than one token"};
inline constexpr Reason kTokenMalformed{"malformed-token", 401, "Unauthorized", "the token is not a JWT as RFC 7515 and RFC 7519 have it"};
inline constexpr Reason kTokenAlgorithm{"algorithm", 401, "Unauthorized", "the token's alg is none that its issuer's keys are for"};
inline constexpr Reason kTokenCrit{"crit", 401, "Unauthorized", "the token's header has crit: it asks for something that nobody here understands"};
inline constexpr Reason kTokenSignature{"signature", 401, "Unauthorized", "the token's signature is not its key's"};
inline constexpr Reason kExpired{"expired", 401, "Unauthorized", "the token's exp, the signature's or the API key's `expires` has passed"};
inline constexpr Reason kTokenNotYetValid{"not-yet-valid", 401, "Unauthorized", "the token's nbf or iat, or the signature's created, lies in the future"};
inline constexpr Reason kTokenTooOld{"too-old", 401, "Unauthorized", "the token or signature was made longer ago than max_age allows, or the token does not say when"};
inline constexpr Reason kTokenNoExpiry{"no-expiry", 401, "Unauthorized", "the token has no exp"};
inline constexpr Reason kTokenIssuer{"issuer", 401, "Unauthorized", "the token's iss is no issuer of this route"};
inline constexpr Reason kTokenAudience{"audience", 401, "Unauthorized", "the token's aud names none of the issuer's audiences"};
inline constexpr Reason kTokenType{"type", 401, "Unauthorized", "the token's typ is none of the issuer's types"};
inline constexpr Reason kTokenClaim{"claim", 403, "Forbidden", "a claim of the token's is not what the route asks for"};
inline constexpr Reason kInsufficientScope{"insufficient-scope", 403, "Forbidden", "the token has not the scopes that the route asks for"};
inline constexpr Reason kUnknownConsumer{"unknown-consumer", 403, "Forbidden", "the credential is good, and of no configured consumer"};
inline constexpr Reason kKeysUnavailable{"keys-unavailable", 503, "Service Unavailable", "the issuer's keys can't be fetched, and none that were fetched may be used any more"};
// basic, mtls, forward-auth
inline constexpr Reason kMissingCredentials{"missing-credentials", 401, "Unauthorized", "the request carries no user and password"};
inline constexpr Reason kMalformedCredentials{"malformed-credentials", 401, "Unauthorized", "user and password are not as RFC 7617 has them"};
inline constexpr Reason kWrongCredentials{"wrong-credentials", 401, "Unauthorized", "there is no such user, or the password is another"};
inline constexpr Reason kBusy{"busy", 503, "Service Unavailable", "more work of a policy's is waiting than there is room for"};
inline constexpr Reason kMissingCertificate{"missing-certificate", 401, "Unauthorized", "the connection has no client certificate"};
inline constexpr Reason kRefusedByService{"refused-by-service", 403, "Forbidden", "the service that forward-auth asks has refused; the status is its own"};
inline constexpr Reason kServiceUnavailable{"service-unavailable", 503, "Service Unavailable", "the service that forward-auth asks gave no answer that says yes or no"};
// hmac: HTTP message signatures
inline constexpr Reason kMissingSignature{"missing-signature", 401, "Unauthorized", "the request carries no signature of the kind that the route asks for"};
inline constexpr Reason kMalformedSignature{"malformed-signature", 401, "Unauthorized", "Signature and Signature-Input are not as RFC 9421 has them"};
inline constexpr Reason kSeveralSignatures{"several-signatures", 401, "Unauthorized", "more than one signature, and nothing says which one counts"};
inline constexpr Reason kUncoveredComponent{"uncovered-component", 401, "Unauthorized", "the signature does not cover all that the route asks for"};
inline constexpr Reason kAbsentComponent{"absent-component", 401, "Unauthorized", "the signature covers what the request does not have"};
inline constexpr Reason kUnsupportedComponent{"unsupported-component", 401, "Unauthorized", "the signature covers a component, or has a parameter of one, that is not supported"};
inline constexpr Reason kNoCreated{"no-created", 401, "Unauthorized", "the signature does not say when it was made"};
inline constexpr Reason kNoNonce{"no-nonce", 401, "Unauthorized", "the signature has no nonce"};
inline constexpr Reason kWrongSignature{"wrong-signature", 401, "Unauthorized", "there is no such key, or the signature is not its own over this request"};
inline constexpr Reason kReplayed{"replayed", 401, "Unauthorized", "a request with this nonce of this key was let in before"};
inline constexpr Reason kReplayMemoryFull{"replay-memory-full", 503, "Service Unavailable", "no room to remember another nonce: what could be replayed is not let in"};
inline constexpr Reason kNoDigest{"no-digest", 400, "Bad Request", "the request has a body, and no Content-Digest"};
inline constexpr Reason kMalformedDigest{"malformed-digest", 400, "Bad Request", "Content-Digest is not as RFC 9530 has it"};
inline constexpr Reason kUnsupportedDigest{"unsupported-digest", 400, "Bad Request", "Content-Digest holds neither sha-256 nor sha-512"};
inline constexpr Reason kDigestMismatch{"digest-mismatch", 400, "Bad Request", "the body is not the one that Content-Digest speaks of"};
// allow, deny
inline constexpr Reason kNotAllowed{"not-allowed", 403, "Forbidden", "`allow` does not speak of this request"};
inline constexpr Reason kDenied{"denied", 403, "Forbidden", "`deny` speaks of this request"};
// connections that are not let in
inline constexpr Reason kMaxConnections{"max-connections", 0, "", "the listener has as many connections as it may have"};
inline constexpr Reason kMaxConnectionsPerClient{"max-connections-per-client", 0, "", "the client has as many connections to the listener as it may have"};
inline constexpr Reason kProxyProtocol{"proxy-protocol", 0, "", "no PROXY header where one is required, a broken one, or one of a peer that is not trusted"};
// TLS with a client
inline constexpr Reason kHandshakeTimeout{"handshake-timeout", 0, "", "the client did not finish its TLS handshake in time"};
inline constexpr Reason kPlainHttpOnTls{"plain-http-on-tls", 400, "Bad Request", "a client speaks plain HTTP to a listener that speaks TLS"};
inline constexpr Reason kTlsMalformed{"tls-malformed", 0, "", "what a client sent is not TLS"};
inline constexpr Reason kTlsVersion{"tls-version", 0, "", "client and listener have no TLS version in common"};
inline constexpr Reason kTlsCipher{"tls-cipher", 0, "", "client and listener have no cipher, group or signature in common"};
inline constexpr Reason kTlsProtocol{"tls-protocol", 0, "", "the client offers protocols by ALPN, and none that the listener speaks"};
inline constexpr Reason kTlsUnknownName{"tls-unknown-name", 0, "", "no certificate is for the name that the client asks for, and the listener rejects unknown ones"};
inline constexpr Reason kTlsAlert{"tls-alert", 0, "", "the client ended the handshake with an alert, for example as it does not trust the certificate"};
inline constexpr Reason kClientCertificateMissing{"client-certificate-missing", 0, "", "the listener requires a client certificate, and the client showed none"};
inline constexpr Reason kClientCertificateExpired{"client-certificate-expired", 0, "", "the client's certificate, its CA's, or their revocation list has expired"};
inline constexpr Reason kClientCertificateNotYetValid{"client-certificate-not-yet-valid", 0, "", "the client's certificate is not valid yet"};
inline constexpr Reason kClientCertificateRevoked{"client-certificate-revoked", 0, "", "the client's certificate stands in the revocation list"};
inline constexpr Reason kClientCertificateUntrusted{"client-certificate-untrusted", 0, "", "no CA of the listener's vouches for the client's certificate"};
inline constexpr Reason kClientCertificateTooDeep{"client-certificate-too-deep", 0, "", "there are more CAs between the client's certificate and a trusted one than verify_depth allows"};
inline constexpr Reason kClientCertificateUnfit{"client-certificate-unfit", 0, "", "the client's certificate is not made for clients, or is broken"};
inline constexpr Reason kMisdirected{"misdirected-request", 421, "Misdirected Request", "the request is for a host that the connection's TLS handshake was not for"};
// ip-filter
inline constexpr Reason kAddressDenied{"address-denied", 403, "Forbidden", "the client's address is one that an ip-filter denies"};
inline constexpr Reason kAddressNotAllowed{"address-not-allowed", 403, "Forbidden", "the client's address is none that an ip-filter allows"};
// size-limit; body-too-large is its reason too
inline constexpr Reason kQueryTooLong{"query-too-long", 414, "URI Too Long", "the request's query is longer than its route allows"};
inline constexpr Reason kFieldsTooLarge{"fields-too-large", 431, "Request Header Fields Too Large", "the request has more header fields, or larger ones, than its route allows"};
// compress
inline constexpr Reason kUnsupportedEncoding{"unsupported-encoding", 415, "Unsupported Media Type", "the request's body is in a content coding that is not known, or in several"};
inline constexpr Reason kMalformedEncoding{"malformed-encoding", 400, "Bad Request", "the request's body is not in the content coding that it claims, or breaks off"};
inline constexpr Reason kDecompressedTooLarge{"decompressed-too-large", 413, "Content Too Large", "the request's body is larger, once it is decompressed, than the policy allows"};
inline constexpr Reason kDecompressionRatio{"decompression-ratio", 413, "Content Too Large", "the request's body grows by more than compress allows while it is decompressed"};
// json
inline constexpr Reason kJsonMalformed{"json-malformed", 400, "Bad Request", "the request's body is not JSON, is not UTF-8, or has a name twice in one object"};
inline constexpr Reason kJsonTooDeep{"json-too-deep", 400, "Bad Request", "arrays and objects of the request's body are nested deeper than the policy allows"};
inline constexpr Reason kJsonTooMany{"json-too-many", 400, "Bad Request", "the request's body has more values than the policy allows, or takes too long to look through"};
inline constexpr Reason kJsonMismatch{"json-mismatch", 400, "Bad Request", "what a json policy sets has no place in the request's body: something else is in its way"};
inline constexpr Reason kAnswerJson{"answer-json", 502, "Bad Gateway", "the target's answer is not the JSON that a policy can work on; `detail` says why"};
inline constexpr Reason kAnswerEncoding{"answer-encoding", 502, "Bad Gateway", "the target's answer is in a content coding that is not known, or not in the one that it claims"};
inline constexpr Reason kAnswerPartial{"answer-partial", 502, "Bad Gateway", "the target has sent a part of an answer of which a policy has to see all"};
// validate, openapi
inline constexpr Reason kInvalidBody{"invalid-body", 400, "Bad Request", "the request's body is not as its schema has it; `errors` lists where"};
inline constexpr Reason kInvalidQuery{"invalid-query", 400, "Bad Request", "the request's query is not as its schema has it; `errors` lists where"};
inline constexpr Reason kInvalidHeaders{"invalid-headers", 400, "Bad Request", "the request's header fields are not as their schema has them; `errors` lists where"};
inline constexpr Reason kInvalidParameters{"invalid-parameters", 400, "Bad Request", "parameters of the request are not as its OpenAPI document has them; `errors` lists which"};
inline constexpr Reason kNoOperation{"no-operation", 404, "Not Found", "the OpenAPI document has no such path"};
inline constexpr Reason kOperationMethod{"operation-method", 405, "Method Not Allowed", "the OpenAPI document has the path, and not this method; Allow lists its own"};
inline constexpr Reason kAnswerInvalid{"answer-invalid", 502, "Bad Gateway", "the target's answer is not as its OpenAPI document has it; `detail` says where"};
inline constexpr Reason kMissingBody{"missing-body", 400, "Bad Request", "the request has no body, and must have one"};
inline constexpr Reason kSeveralTypes{"several-media-types", 400, "Bad Request", "the request has more than one Content-Type, and a policy looks at its body"};
inline constexpr Reason kMediaType{"media-type", 415, "Unsupported Media Type", "the request's body is of a media type, or in a charset, that is not taken here"};
// cors
inline constexpr Reason kPreflight{"preflight", 204, "", "the cors policy answered a preflight: the request may be sent"};
inline constexpr Reason kOriginNotAllowed{"origin-not-allowed", 403, "Forbidden", "the request's Origin is none that cors allows; only preflights and strict routes refuse it"};
inline constexpr Reason kCorsMethod{"cors-method-not-allowed", 403, "Forbidden", "a preflight asks for a method that cors does not allow"};
inline constexpr Reason kCorsHeader{"cors-header-not-allowed", 403, "Forbidden", "a preflight asks for a header field that cors does not allow"};
// limits
inline constexpr Reason kRateLimited{"rate-limited", 429, "Too Many Requests", "the rate of this key is used up"};
inline constexpr Reason kQuotaExceeded{"quota-exceeded", 429, "Too Many Requests", "the key's requests of this hour, day, week or month are used up"};
inline constexpr Reason kLimiterFull{"limiter-full", 429, "Too Many Requests", "the limiter's table has no room for another key"};
// concurrency, load-shed
inline constexpr Reason kConcurrencyLimited{"concurrency-limited", 429, "Too Many Requests", "as many requests of this key are under way as may be, and there was no room to wait, or no place in time"};
inline constexpr Reason kOverloaded{"overloaded", 503, "Service Unavailable", "as many requests are under way as may be, whoever they are from, and there was no room to wait, or no place in time"};
// fault
inline constexpr Reason kInjectedDelay{"injected-delay", 0, "", "of a decision: a fault policy made the request wait"};
inline constexpr Reason kInjectedAbort{"injected-abort", 503, "Service Unavailable", "a fault policy answered with a failure; the status is its own"};
inline constexpr Reason kInjectedReset{"injected-reset", 0, "", "a fault policy reset the client's connection"};
// answers of policies
inline constexpr Reason kResponded{"responded", 0, "", "the respond policy answered"};
inline constexpr Reason kRedirected{"redirected", 0, "", "the redirect policy answered"};
// request
inline constexpr Reason kHeaderTimeout{"header-timeout", 408, "Request Timeout", "the request's head did not arrive in time"};
inline constexpr Reason kBodyTimeout{"body-timeout", 408, "Request Timeout", "the request's body did not arrive in time"};
inline constexpr Reason kBodyTooLarge{"body-too-large", 413, "Content Too Large", "the request's body is larger than the listener or the route allows"};
inline constexpr Reason kClientGone{"client-gone", 0, "", "the client went away before its answer was complete"};
inline constexpr Reason kClientStalled{"client-stalled", 0, "", "the client took no octet of its answer for the listener's body timeout"};
// WebSocket
inline constexpr Reason kWebsocketHandshake{"websocket-handshake", 400, "Bad Request", "the request asks for a WebSocket, but not as RFC 6455 has it"};
inline constexpr Reason kWebsocketVersion{"websocket-version", 426, "Upgrade Required", "the request asks for a version of WebSocket other than 13"};
inline constexpr Reason kWebsocketOff{"websocket-off", 403, "Forbidden", "the route has websocket: false"};
inline constexpr Reason kTunnelClosed{"tunnel-closed", 0, "", "a WebSocket ended: both sides had said their last"};
inline constexpr Reason kTunnelIdle{"tunnel-idle", 0, "", "no octet moved in a WebSocket for the upstream's timeouts.tunnel.idle"};
inline constexpr Reason kTunnelLimit{"tunnel-limit", 0, "", "a WebSocket was open for the upstream's timeouts.tunnel.total"};
// upstream
inline constexpr Reason kConnectFailure{"connect-failure", 502, "Bad Gateway", "the target refused the connection or was unreachable"};
inline constexpr Reason kConnectTimeout{"connect-timeout", 504, "Gateway Timeout", "the target did not accept the connection in time"};
inline constexpr Reason kResolveFailure{"resolve-failure", 502, "Bad Gateway", "the target's name has no address"};
inline constexpr Reason kTlsHandshake{"tls-handshake", 502, "Bad Gateway", "the TLS handshake failed for another reason than the others here"};
inline constexpr Reason kTlsRefused{"tls-refused", 502, "Bad Gateway", "the target ended the TLS handshake with an alert, for example as it wants a client certificate"};
inline constexpr Reason kTlsCertificateExpired{"tls-certificate-expired", 502, "Bad Gateway", "the target's certificate, or its CA's, has expired"};
inline constexpr Reason kTlsCertificateNotYetValid{"tls-certificate-not-yet-valid", 502, "Bad Gateway", "the target's certificate is not valid yet"};
inline constexpr Reason kTlsCertificateUntrusted{"tls-certificate-untrusted", 502, "Bad Gateway", "no trusted CA vouches for the target's certificate"};
inline constexpr Reason kTlsCertificateHostname{"tls-certificate-hostname", 502, "Bad Gateway", "the target's certificate is for another host"};
inline constexpr Reason kUpstreamReset{"upstream-reset", 502, "Bad Gateway", "the target closed or reset the connection before its answer"};
inline constexpr Reason kUpstreamMalformed{"upstream-malformed", 502, "Bad Gateway", "the target's answer breaks the protocol"};
inline constexpr Reason kResponseTimeout{"response-timeout", 504, "Gateway Timeout", "the target did not begin its answer in time"};
inline constexpr Reason kIdleTimeout{"idle-timeout", 504, "Gateway Timeout", "no octet moved for the upstream's idle timeout"};
inline constexpr Reason kTotalTimeout{"total-timeout", 504, "Gateway Timeout", "the exchange took longer than the upstream's total timeout"};
inline constexpr Reason kPerTryTimeout{"per-try-timeout", 504, "Gateway Timeout", "no target began its answer within the retries' per_try_timeout"};
inline constexpr Reason kNoHealthyTarget{"no-healthy-target", 503, "Service Unavailable", "every target of the upstream is unhealthy or ejected"};
inline constexpr Reason kCircuitOpen{"circuit-open", 503, "Service Unavailable", "no target is left: the breakers of some are open"};
inline constexpr Reason kUpstreamBusy{"upstream-busy", 503, "Service Unavailable", "every target has as many requests as its limit allows, and the queue is full or did not move in time"};
inline constexpr Reason kAggregated{"aggregated", 0, "", "the answer was made of several upstreams' answers"};
inline constexpr Reason kAggregatedInPart{"aggregated-in-part", 0, "", "the answer was made of several upstreams' answers, without one at least"};
inline constexpr Reason kPartFailed{"part-failed", 502, "Bad Gateway", "a part without which there is no aggregated answer could not be had"};
inline constexpr Reason kPartTimeout{"part-timeout", 504, "Gateway Timeout", "a part without which there is no aggregated answer did not come in time"};
inline constexpr Reason kAnswerTooLarge{"answer-too-large", 502, "Bad Gateway", "the answer to a call of the gateway's own, or one that a policy wants to see as a whole, is larger than is allowed"};
inline constexpr Reason kRetried{"retried", 0, "", "of a try: the answer was one after which the upstream's `retry` tries again, and was not read to its end"};
inline constexpr Reason kGivenUp{"given-up", 0, "", "of a part of an answer: there was none without another part, or the client had gone"};
inline constexpr Reason kHedged{"hedged", 0, "", "of a try: another that ran beside it answered first, and it was given up"};
inline constexpr Reason kTruncated{"truncated", 0, "", "the answer broke off after its head was sent"};
inline constexpr Reason kUnmocked{"unmocked-upstream", 502, "Bad Gateway", "a scenario reached an upstream that it has no mock for"};
inline constexpr Reason kOnlyIfCached{"only-if-cached", 504, "Gateway Timeout", "the request takes stored answers only, and none may be used"};
// the gateway itself
inline constexpr Reason kShutdown{"shutdown", 503, "Service Unavailable", "the gateway was stopped before the answer was complete"};
inline constexpr Reason kInternal{"internal", 500, "Internal Server Error", "a policy asked for something the gateway could not do"};
inline constexpr Reason kCompleted{"completed", 0, "", "the upstream's answer was forwarded whole"};
}  // namespace reason

}  // namespace gatelab::observe

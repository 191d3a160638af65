// SPDX-License-Identifier: Apache-2.0
#include "observe/reason.h"

#include <array>

namespace gatelab::observe {
namespace {

using namespace reason;
constexpr std::array kReasons{
    kNoRoute, kMethodNotAllowed, kAmbiguousPath, kServerOptions, kLoopDetected, kRewrittenPath, kMissingKey, kUnknownKey, kDuplicateKey, kNotInGroup,
    kMissingToken, kDuplicateToken, kTokenMalformed, kTokenAlgorithm, kTokenCrit, kTokenSignature, kExpired, kTokenNotYetValid, kTokenTooOld,
    kTokenNoExpiry, kTokenIssuer, kTokenAudience, kTokenType, kTokenClaim, kInsufficientScope, kUnknownConsumer, kKeysUnavailable,
    kMissingCredentials, kMalformedCredentials, kWrongCredentials, kBusy, kMissingCertificate, kRefusedByService, kServiceUnavailable,
    kMissingSignature, kMalformedSignature, kSeveralSignatures, kUncoveredComponent, kAbsentComponent, kUnsupportedComponent, kNoCreated, kNoNonce,
    kWrongSignature, kReplayed, kReplayMemoryFull, kNoDigest, kMalformedDigest, kUnsupportedDigest, kDigestMismatch, kNotAllowed, kDenied,
    kMaxConnections, kMaxConnectionsPerClient, kProxyProtocol, kHandshakeTimeout, kPlainHttpOnTls,
    kTlsMalformed, kTlsVersion, kTlsCipher, kTlsProtocol, kTlsUnknownName, kTlsAlert, kClientCertificateMissing, kClientCertificateExpired,
    kClientCertificateNotYetValid, kClientCertificateRevoked, kClientCertificateUntrusted, kClientCertificateTooDeep, kClientCertificateUnfit,
    kMisdirected, kTlsHandshake, kTlsRefused, kTlsCertificateExpired, kTlsCertificateNotYetValid, kTlsCertificateUntrusted,
    kTlsCertificateHostname, kAddressDenied, kAddressNotAllowed, kQueryTooLong, kFieldsTooLarge, kUnsupportedEncoding, kMalformedEncoding, kDecompressedTooLarge, kDecompressionRatio, kJsonMalformed, kJsonTooDeep, kJsonTooMany, kJsonMismatch, kAnswerJson, kAnswerEncoding, kAnswerPartial, kInvalidBody, kInvalidQuery, kInvalidHeaders, kInvalidParameters, kNoOperation, kOperationMethod, kAnswerInvalid, kMissingBody, kSeveralTypes, kMediaType, kPreflight, kOriginNotAllowed, kCorsMethod, kCorsHeader, kRateLimited, kQuotaExceeded, kLimiterFull, kConcurrencyLimited, kOverloaded, kInjectedDelay, kInjectedAbort, kInjectedReset, kResponded, kRedirected,
    kHeaderTimeout, kBodyTimeout, kBodyTooLarge, kClientGone, kClientStalled, kWebsocketHandshake, kWebsocketVersion, kWebsocketOff,
    kTunnelClosed, kTunnelIdle, kTunnelLimit, kConnectFailure, kConnectTimeout, kResolveFailure,
    kUpstreamReset, kUpstreamMalformed, kResponseTimeout, kIdleTimeout, kTotalTimeout, kPerTryTimeout, kNoHealthyTarget, kCircuitOpen, kUpstreamBusy, kAggregated, kAggregatedInPart, kPartFailed, kPartTimeout, kAnswerTooLarge, kRetried, kGivenUp, kHedged, kTruncated, kUnmocked, kOnlyIfCached, kShutdown, kInternal, kCompleted};

constexpr std::array<std::string_view, 17> kPhases{"accept", "handshake", "parse", "match", "access", "pre-limit", "authenticate", "authorize", "limit",
                                                   "validate", "transform", "cache-lookup", "forward", "cache-store", "transform-response", "respond", "log"};
constexpr std::array<std::string_view, 6> kOutcomes{"allow", "deny", "respond", "error", "skip", "observe"};

}  // namespace

std::string_view name(Phase phase) noexcept { return kPhases[static_cast<std::size_t>(phase)]; }
std::string_view name(Outcome outcome) noexcept { return kOutcomes[static_cast<std::size_t>(outcome)]; }
std::span<const Reason> all_reasons() noexcept { return kReasons; }

const Reason* find_reason(std::string_view word) noexcept {
  for (const Reason& reason : kReasons)
    if (reason.word == word) return &reason;
  return nullptr;
}

}  // namespace gatelab::observe

// SPDX-License-Identifier: Apache-2.0
#include "cli/local_keys.h"

#include "cli/private_files.h"
#include "crypto/jws_generate.h"

namespace gatelab::cli {

Result<crypto::SigningKeyPtr> local_signing_key(crypto::Algorithm algorithm) {
  const std::string name(crypto::name(algorithm)), file = "issuer-" + name + ".key";
  const auto text = private_file(file, [algorithm] { return crypto::generate_key_text(algorithm); });
  if (!text) return Failure<Error>{text.error()};
  const std::string kid = "local-" + name;
  if (algorithm >= crypto::Algorithm::HS256) return crypto::SigningKey::from_secret(*text, kid);
  auto key = crypto::SigningKey::from_pem(*text, kid);
  if (!key) return fail("bad-key", data_directory() + "/" + file + " " + key.error().message + ": delete it to get a new one");
  return key;
}

Result<std::vector<harness::ServedIssuer>> served_issuers(const gateway::Model& model) {
  std::vector<harness::ServedIssuer> out;
  const auto add = [&out](const std::string& name, const std::string& url, const std::vector<std::string>& audiences, crypto::Algorithm algorithm) -> Status {
    auto key = local_signing_key(algorithm);
    if (!key) return Failure<Error>{key.error()};
    out.push_back({name, url, audiences, std::move(*key), algorithm});
    return success();
  };
  Status added = success();
  for (const auto& issuer : model.issuers.all)
    if (added) added = add(issuer->name, issuer->url, issuer->audiences, policy::local_algorithm(*issuer));
  if (added && out.empty()) added = add("", "", {}, crypto::Algorithm::ES256);
  if (!added) return Failure<Error>{added.error()};
  return out;
}

}  // namespace gatelab::cli

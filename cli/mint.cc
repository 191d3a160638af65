// SPDX-License-Identifier: Apache-2.0
// gatelab mint cert, gatelab mint ca: certificates of the local CA for development, and how to trust it. No trust store is
// changed.
#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "cli/cli.h"
#include "cli/local_ca.h"
#include "io/disk.h"

namespace gatelab::cli {
namespace {

struct Options {
  std::vector<std::string> hosts;
  std::string out;
  bool client = false;
  bool trust_help = false;
};

constexpr Duration kLife = std::chrono::hours(24 * 90);

int no_authority(const Error& error) {
  complain("the local CA can't be used: " + error.message);
  return kEnvironment;
}

// The key is for its owner alone from its first octet on.
Status write_pair(const std::string& out, const crypto::Identity& identity) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(out).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, error)) return fail("not-found", "--out: there is no directory `" + folder.string() + "`: make it first");
  io::DiskFiles files;
  const mode_t before = umask(077);
  Status written = files.write(out + ".key", crypto::LocalAuthority::key_pem_of(identity).reveal());
  umask(before);
  if (written) written = files.write(out + ".pem", crypto::LocalAuthority::pem_of(identity));
  return written;
}

int mint_certificate(const Options& options) {
  const Instant now = system_time();
  const auto authority = open_local_authority(now);
  if (!authority) return no_authority(authority.error());
  crypto::LocalAuthority::Request request;
  request.names = options.hosts.empty() ? std::vector<std::string>{"localhost", "127.0.0.1", "::1"} : options.hosts;
  request.client = options.client;
  request.from = now + -std::chrono::hours(24);
  request.until = now + kLife;
  const auto identity = (*authority)->issue(request);
  if (!identity) {
    complain("--host: a name may hold letters, digits, dashes, dots, underscores and a star; or write an address");
    return kUsage;
  }
  if (options.out.empty()) {
    const std::string both = crypto::LocalAuthority::pem_of(*identity) + std::string(crypto::LocalAuthority::key_pem_of(*identity).reveal());
    return print(both) ? kOk : kEnvironment;
  }
  if (const Status written = write_pair(options.out, *identity); !written) {
    complain(written.error().message);
    return kEnvironment;
  }
  return print(fmt::format("{0}.pem\n{0}.key\n", options.out)) ? kOk : kEnvironment;
}

int mint_authority(const Options& options) {
  const auto authority = open_local_authority(system_time());
  if (!authority) return no_authority(authority.error());
  const std::string path = local_ca_certificate();
  if (!options.trust_help) return print(path + "\n") ? kOk : kEnvironment;
  // Chromium reads ~/.pki/nssdb where there is one, and since version 146 makes its own in $XDG_DATA_HOME.
  return print(fmt::format(R"(The local CA's certificate is {0}
SHA-256 {1}
Whoever trusts it trusts every certificate that this user's gatelab makes. gatelab changes no trust store; these commands do:

curl                  curl --cacert {0} https://localhost:8443/
Debian, Ubuntu        sudo cp {0} /usr/local/share/ca-certificates/gatelab.crt && sudo update-ca-certificates
Fedora, RHEL          sudo cp {0} /etc/pki/ca-trust/source/anchors/gatelab.pem && sudo update-ca-trust
Arch                  sudo trust anchor {0}
macOS                 security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {0}
Windows (for WSL)     certutil.exe -user -addstore Root {0}
Chromium on Linux     d="$HOME/.pki/nssdb" n="${{XDG_DATA_HOME:-$HOME/.local/share}}/pki/nssdb"; [ -d "$d" ] || [ ! -d "$n" ] || d=$n; mkdir -p "$d"; certutil -d "sql:$d" -A -t C,, -n gatelab -i {0}
Firefox               Settings, Certificates, Authorities, Import; or the certutil above with its profile's directory
Node                  NODE_EXTRA_CA_CERTS={0}
Python requests       REQUESTS_CA_BUNDLE={0}
Java                  keytool -importcert -cacerts -alias gatelab -file {0}

To undo: remove what was added. A new CA: delete {0} and local-ca.pem beside it.
)", path, (*authority)->facts().fingerprint)) ? kOk : kEnvironment;
}

}  // namespace

void add_mint(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("mint", "make certificates, tokens and keys for development");
  command->require_subcommand(1);
  CLI::App* certificate = command->add_subcommand("cert", "a certificate of the local CA and its key");
  certificate->add_option("--host", options->hosts, "a name or an address; again for more (default: localhost, 127.0.0.1, ::1)");
  certificate->add_option("--out", options->out, "writes OUT.pem and OUT.key; default: both to stdout");
  certificate->add_flag("--client", options->client, "for a client, to show to a listener with client_ca");
  certificate->callback([options, &chosen] { chosen = [options] { return mint_certificate(*options); }; });
  add_mint_tokens(*command, chosen);
  CLI::App* authority = command->add_subcommand("ca", "where the local CA's certificate is; makes it if there is none");
  authority->add_flag("--trust-help", options->trust_help, "how browsers and systems learn to trust it");
  authority->callback([options, &chosen] { chosen = [options] { return mint_authority(*options); }; });
}

}  // namespace gatelab::cli

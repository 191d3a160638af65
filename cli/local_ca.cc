// SPDX-License-Identifier: Apache-2.0
#include "cli/local_ca.h"

#include <unistd.h>

#include <chrono>

#include "cli/private_files.h"
#include "io/disk.h"

namespace gatelab::cli {
namespace {

constexpr const char* kFile = "local-ca.pem";

}  // namespace

Instant system_time() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

std::string local_ca_certificate() { return data_directory() + "/local-ca.crt"; }

Result<std::shared_ptr<crypto::LocalAuthority>> open_local_authority(Instant now) {
  const auto make = [now]() -> Result<std::string> {
    const auto fresh = crypto::LocalAuthority::create("gatelab local CA", now);
    return fresh->pem() + std::string(fresh->key_pem().reveal());
  };
  const auto text = private_file(kFile, make);
  if (!text) return Failure<Error>{text.error()};
  const std::string path = data_directory() + "/" + kFile;
  auto loaded = crypto::LocalAuthority::load(*text, *text);
  if (!loaded) return fail("local-ca", path + " " + loaded.error().message + ": delete it to get a new one");
  if ((*loaded)->facts().not_after < now) return fail("local-ca", path + " has expired: delete it to get a new one");
  if (access(local_ca_certificate().c_str(), F_OK) != 0)
    if (const Status written = io::DiskFiles().write(local_ca_certificate(), (*loaded)->pem()); !written) return Failure<Error>{written.error()};
  return loaded;
}

}  // namespace gatelab::cli

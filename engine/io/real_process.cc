// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>

#include "io/process.h"

namespace gatelab::io {
namespace {

Failure<Error> failure(const std::string& what, int code) { return fail("io", what + ": " + std::strerror(code)); }

// Between fork and exec (or _exit) only what is safe in a signal handler may be called: other threads may have held locks.
void close_from(unsigned first) noexcept {
  if (::close_range(first, ~0U, 0) == 0) return;
  for (unsigned fd = first; fd < 4096; ++fd) ::close(static_cast<int>(fd));
}

void default_signals() noexcept {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
}

// The child. Whatever goes wrong is told through `told`, which closes by itself when the program is there.
[[noreturn]] void become(const char* directory, const char* program, char* const* arguments, char* const* environment, int output, int told) noexcept {
  ::setpgid(0, 0);
  default_signals();
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::dup2(told, 3);
  ::fcntl(3, F_SETFD, FD_CLOEXEC);
  close_from(4);
  if (*directory == '\0' || ::chdir(directory) == 0) ::execvpe(program, arguments, environment);
  const int code = errno;
  if (::write(3, &code, sizeof code) < 0) ::_exit(126);
  ::_exit(127);
}

// Stays until a word comes (it is over) or we have gone (whatever the way): then the group must end, too.
[[noreturn]] void guard(pid_t group, int alive) noexcept {
  ::setpgid(0, 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  ::dup2(alive, 0);
  close_from(1);
  char word = 0;
  ssize_t n = 0;
  do n = ::read(0, &word, 1);
  while (n < 0 && errno == EINTR);
  if (n > 0) ::_exit(0);
  ::kill(-group, SIGTERM);
  for (int i = 0; i < 40 && ::kill(-group, 0) == 0; ++i) ::poll(nullptr, 0, 50);
  ::kill(-group, SIGKILL);
  ::_exit(0);
}

struct Pipe {
  int read = -1, write = -1;
  bool open() noexcept {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) return false;
    read = both[0];
    write = both[1];
    return true;
  }
  static void close(int& fd) noexcept {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  ~Pipe() {
    close(read);
    close(write);
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> whole_environment(const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> out;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view text = *one;
    bool replaced = false;
    for (const auto& [name, value] : more) replaced = replaced || text.starts_with(name + "=");
    if (!replaced) out.emplace_back(text);
  }
  for (const auto& [name, value] : more) out.push_back(name + "=" + value);
  return out;
}

}  // namespace

Result<std::unique_ptr<PrivateDirectory>> PrivateDirectory::make() {
  std::error_code error;
  std::string path = std::filesystem::temp_directory_path(error).string();
  if (error) path = "/tmp";
  path += "/gatelab.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return failure(path, errno);
  return std::unique_ptr<PrivateDirectory>(new PrivateDirectory(path));
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<std::unique_ptr<HeldPort>> HeldPort::take() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure("a port can't be had", errno);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  // Bound without SO_REUSEADDR, so that nobody has it; set afterwards, so that a server may share it.
  const int yes = 1;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    const int code = errno;
    ::close(fd);
    return failure("a port can't be had", code);
  }
  return std::unique_ptr<HeldPort>(new HeldPort(fd, ntohs(address.sin_port)));
}

HeldPort::~HeldPort() { ::close(fd_); }

struct Process::Inner {
  static constexpr std::size_t kBlock = 4096;
  pid_t pid = -1, guard = -1;
  Pipe output, alive, over;
  std::thread reader;
  mutable std::mutex mutex;
  std::string text;
  bool reaped = false;
  siginfo_t end{};

  void read() {
    for (;;) {
      pollfd both[2] = {{output.read, POLLIN, 0}, {over.read, POLLIN, 0}};
      if (::poll(both, 2, -1) < 0) {
        if (errno == EINTR) continue;
        return;
      }
      if (both[1].revents != 0) return read_rest();
      if ((both[0].revents & (POLLIN | POLLHUP)) != 0 && read_some(kBlock) == 0) return;
    }
  }

  // What was said before the end is in the pipe now. Who holds it open beyond that may go on writing for ever.
  void read_rest() {
    int left = 0;
    if (::ioctl(output.read, FIONREAD, &left) != 0) return;
    while (left > 0) {
      const std::size_t n = read_some(std::min(kBlock, static_cast<std::size_t>(left)));
      if (n == 0) return;
      left -= static_cast<int>(n);
    }
  }

  // 0: there will be no more.
  std::size_t read_some(std::size_t most) {
    char block[kBlock];
    ssize_t n = 0;
    do n = ::read(output.read, block, most);
    while (n < 0 && errno == EINTR);
    if (n <= 0) return 0;
    const std::lock_guard lock(mutex);
    text.append(block, static_cast<std::size_t>(n));
    if (text.size() > 2 * kOutput) text.erase(0, text.size() - kOutput);
    return static_cast<std::size_t>(n);
  }
};

Process::Process(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}

Result<std::unique_ptr<Process>> Process::start(const ProcessOptions& options) {
  if (options.arguments.empty() || options.arguments.front().empty()) return fail("io", "there is no program to run");
  auto inner = std::make_unique<Inner>();
  Pipe told;
  if (!inner->output.open() || !inner->alive.open() || !inner->over.open() || !told.open()) return failure("a pipe can't be had", errno);
  std::vector<std::string> arguments = options.arguments, environment = whole_environment(options.environment);
  const std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
  inner->pid = ::fork();
  if (inner->pid == 0) become(options.directory.c_str(), argv[0], argv.data(), envp.data(), inner->output.write, told.write);
  if (inner->pid < 0) return failure("`" + options.arguments.front() + "` can't be started", errno);
  ::setpgid(inner->pid, inner->pid);  // the child does it too: whoever is first
  inner->guard = ::fork();
  if (inner->guard == 0) guard(inner->pid, inner->alive.read);
  Pipe::close(told.write);
  Pipe::close(inner->output.write);
  Pipe::close(inner->alive.read);
  std::unique_ptr<Process> process(new Process(std::move(inner)));
  Inner& made = *process->inner_;
  made.reader = std::thread([&made] { made.read(); });
  int code = 0;
  ssize_t n = 0;
  do n = ::read(told.read, &code, sizeof code);
  while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(sizeof code)) return failure("`" + options.arguments.front() + "` can't be started", code);
  return Result<std::unique_ptr<Process>>(std::move(process));
}

Process::~Process() { kill(); }

pid_t Process::pid() const noexcept { return inner_->pid; }

bool Process::ended() {
  if (inner_->reaped) return true;
  // It stays a zombie, so that its number is nobody else's while its group may still be killed.
  inner_->end.si_pid = 0;
  return ::waitid(P_PID, static_cast<id_t>(inner_->pid), &inner_->end, WEXITED | WNOHANG | WNOWAIT) == 0 && inner_->end.si_pid == inner_->pid;
}

std::string Process::how() const {
  return inner_->end.si_code == CLD_EXITED ? "with status " + std::to_string(inner_->end.si_status) : "by signal " + std::to_string(inner_->end.si_status);
}

void Process::terminate() noexcept {
  if (!inner_->reaped) ::kill(inner_->pid, SIGTERM);
}

void Process::kill() noexcept {
  if (inner_->reaped) return;
  ::kill(-inner_->pid, SIGKILL);
  ::kill(inner_->pid, SIGKILL);
  while (::waitid(P_PID, static_cast<id_t>(inner_->pid), &inner_->end, WEXITED) != 0 && errno == EINTR) {
  }
  inner_->reaped = true;
  if (inner_->guard > 0) {
    const ssize_t said = ::write(inner_->alive.write, "x", 1);
    if (said < 0) ::kill(inner_->guard, SIGKILL);
    while (::waitpid(inner_->guard, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Pipe::close(inner_->over.write);  // a grandchild that has left the group may keep the output open
  if (inner_->reader.joinable()) inner_->reader.join();
}

std::string Process::output() const {
  const std::lock_guard lock(inner_->mutex);
  return inner_->text.size() > kOutput ? inner_->text.substr(inner_->text.size() - kOutput) : inner_->text;
}

}  // namespace gatelab::io

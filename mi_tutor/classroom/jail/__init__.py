"""What keeps a submission in: limits, landlock and seccomp, each by the kernel's own calls. Linux only."""

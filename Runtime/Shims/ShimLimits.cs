namespace ImageStore.Runtime.Shims;

/// <summary>How long shims may take, and how much they may say. The times of what containerd limits too are containerd's.</summary>
internal static class ShimLimits
{
    /// <summary>Bytes of what a shim's program answers.</summary>
    public const int AnswerBytes = 1 << 20;

    /// <summary>Bytes of a line in a shim's log; the rest of a longer one is another line.</summary>
    public const int LogLineBytes = 4096;

    /// <summary>Tasks of all namespaces.</summary>
    public const int Tasks = 8192;

    /// <summary>How long <c>start</c> may take.</summary>
    public static readonly TimeSpan Start = TimeSpan.FromSeconds(60);

    /// <summary>How long it may take to find a shim again.</summary>
    public static readonly TimeSpan Load = TimeSpan.FromSeconds(5);

    /// <summary>How long the clean-up after a failure or a dead shim may take; longer than one of the OCI runtime, which our shim ends after 60 s.</summary>
    public static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(90);

    /// <summary>How long a shim may take to end.</summary>
    public static readonly TimeSpan Shutdown = TimeSpan.FromSeconds(3);

    /// <summary>How long a shim may take to tell how a process is.</summary>
    public static readonly TimeSpan State = TimeSpan.FromSeconds(2);
}

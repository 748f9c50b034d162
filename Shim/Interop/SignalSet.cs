using System.Runtime.InteropServices;

namespace ImageStore.Shim.Interop;

/// <summary>The C library's sets of signals.</summary>
internal static unsafe partial class SignalSet
{
    /// <summary>The bytes of one.</summary>
    public const int Size = 128;

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    public static partial int Empty(byte* set);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    public static partial int Fill(byte* set);

    [LibraryImport("libc", EntryPoint = "sigaddset")]
    public static partial int Add(byte* set, int signal);

    [LibraryImport("libc", EntryPoint = "sigismember")]
    public static partial int Has(byte* set, int signal);
}

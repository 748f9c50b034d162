using System.Text;
using ImageStore.Shim.Interop;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Logging;

/// <summary>Lines on standard error, which containerd adds to its own log.</summary>
/// <remarks>Nobody waits for a log: what does not fit into the fifo is lost.</remarks>
internal static class ShimLog
{
    private static readonly SafeFileHandle s_output = new(2, ownsHandle: false);

    // Said once, for the whole process.
    private static readonly bool s_isDebugging = Environment.GetCommandLineArgs().Any(word => word is "-debug" or "--debug");

    public static void Debug(string text)
    {
        if (s_isDebugging)
        {
            Write("debug", text);
        }
    }

    public static void Warning(string text) => Write("warning", text);

    public static void Error(string text, Exception failure) => Write("error", $"{text}: {failure.Message}");

    private static void Write(string level, string text)
    {
        var time = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var quoted = Printable.Of(text).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        _ = Descriptors.Write(s_output, Encoding.UTF8.GetBytes($"time=\"{time}\" level={level} msg=\"{quoted}\" runtime=io.containerd.imagestore.v1\n"));
    }
}

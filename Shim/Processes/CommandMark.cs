using System.Globalization;
using System.Text;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Processes;

/// <summary>The word in the environment of runtimes by which those are found that outlive a killed shim.</summary>
/// <remarks>
/// A runtime that goes on after its shim would make a container that nobody knows of. What a runtime begins, a container or a hook, has an
/// environment of its own, or has none of a runtime's arguments.
/// </remarks>
/// <param name="bundle">Of the container that they work on.</param>
internal sealed class CommandMark(string bundle)
{
    private const string Name = "IMAGESTORE_BUNDLE";
    private const int EnvironmentBytes = 1 << 20;

    // containerd gives a clean-up 5 seconds in all.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_death = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(25);

    // What a hook leaves running has the environment of the runtime too.
    private static ReadOnlySpan<byte> RuntimeArgument => "--log-format"u8;

    private readonly string _word = $"{Name}={RealPath.Of(bundle)}";

    /// <summary>What such a program has in its environment.</summary>
    public string Word => _word;

    /// <summary>Waits until there are none: one that is killed half way leaves more behind than one that ends. Then they are killed.</summary>
    public async Task EndAllAsync(TimeProvider time)
    {
        if (!await AreGoneAsync(static _ => { }, s_patience, time).ConfigureAwait(false)
            && !await AreGoneAsync(static process => _ = Signals.SendTo(process, Signals.Kill), s_death, time).ConfigureAwait(false))
        {
            ShimLog.Warning($"A program that works on {bundle} does not end.");
        }
    }

    private async Task<bool> AreGoneAsync(Action<SafeFileHandle> each, TimeSpan patience, TimeProvider time)
    {
        for (var begun = time.GetTimestamp(); ;)
        {
            if (!FindAny(each))
            {
                return true;
            }

            if (time.GetElapsedTime(begun) > patience)
            {
                return false;
            }

            await Task.Delay(s_pause, time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private bool FindAny(Action<SafeFileHandle> each)
    {
        var word = Encoding.UTF8.GetBytes(_word);
        var found = false;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || pid == Environment.ProcessId)
            {
                continue;
            }

            // Open before it is looked at, it is the same when it is killed.
            using var process = ProcessCalls.TryOpen(pid);
            if (process is not null && IsOurs(folder) && Has(folder, "environ", word) && Has(folder, "cmdline", RuntimeArgument))
            {
                found = true;
                each(process);
            }
        }

        return found;
    }

    // Anybody may give himself such an environment.
    private static bool IsOurs(string folder) => FileMetadata.TryGet(folder)?.Uid == ProcessCalls.UserId();

    private static bool Has(string folder, string list, ReadOnlySpan<byte> word)
    {
        try
        {
            var environment = Oci.BoundedFile.ReadHead(Path.Combine(folder, list), EnvironmentBytes).AsSpan();
            foreach (var range in environment.Split((byte)0))
            {
                if (environment[range].SequenceEqual(word))
                {
                    return true;
                }
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It has ended.
        }

        return false;
    }
}

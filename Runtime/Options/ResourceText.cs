using System.Globalization;
using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Runtime.Options;

/// <summary>Amounts as users of docker write them.</summary>
public static class ResourceText
{
    private const decimal MinCpus = 0.01m;
    private const decimal MaxCpus = 1_000_000m;
    private const int MinOomScore = -1000;
    private const int MaxOomScore = 1000;

    /// <summary>Bytes, such as <c>256M</c>.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static long Memory(string text) =>
        ByteText.Parse(text) ?? throw OptionFault.Of("--memory", text, "is no number of bytes", "Write one such as 256M or 1.5G.");

    /// <summary>Processors, such as <c>1.5</c>: at least 0.01, which is the least that the kernel takes.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static decimal Cpus(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var cpus) && cpus is >= MinCpus and <= MaxCpus
            ? cpus
            : throw OptionFault.Of("--cpus", text, "is no number of processors", "Write 0.01 or more, such as 1.5.");

    /// <summary>Processes and threads, from 1 on; -1 and 0 are no limit, as with docker.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static long Pids(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var pids) && pids >= -1
            ? pids == 0 ? -1 : pids
            : throw OptionFault.Of("--pids-limit", text, "is no number of processes", "Write one from 1 on, or -1 for no limit.");

    /// <summary>From -1000, never ended when memory is short, to 1000, ended first.</summary>
    /// <exception cref="ImageStoreException">It is none (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static int OomScore(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var score) && score is >= MinOomScore and <= MaxOomScore
            ? score
            : throw OptionFault.Of("--oom-score-adj", text, "is no such score", "Write a number from -1000 to 1000.");
}

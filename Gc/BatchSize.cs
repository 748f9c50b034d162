namespace ImageStore.Gc;

/// <summary>How many rows one transaction removes: as many as keep others waiting for some milliseconds.</summary>
/// <remarks>A row costs little beside what every transaction costs, so few large ones are quicker; but nobody commits meanwhile.</remarks>
internal sealed class BatchSize
{
    private const int Least = 16;
    private const int Most = 4096;
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_long = TimeSpan.FromMilliseconds(8);

    /// <summary>The next one's rows.</summary>
    public int Next { get; private set; } = Least * 16;

    /// <summary>Learns from how long one took.</summary>
    public void Took(TimeSpan time) => Next = time < s_short ? Math.Min(Most, Next * 3 / 2)
        : time > s_long ? Math.Max(Least, Next / 2)
        : Next;
}

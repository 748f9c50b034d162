using ImageStore.Store;

namespace ImageStore.Gc;

/// <summary>What a label <c>containerd.io/gc.cond.snapshot.…</c> asks of a snapshot: <c>usedat&lt;24h</c>, or one of several with commas.</summary>
/// <remarks>Words that are not understood never hold, as in containerd.</remarks>
internal sealed class UseCondition
{
    private const string UsedAt = "usedat";
    private static readonly TimeSpan s_most = TimeSpan.FromDays(36525);

    private readonly List<(bool Below, TimeSpan Age)> _any = [];

    public static UseCondition Parse(ReadOnlySpan<char> text)
    {
        var result = new UseCondition();
        foreach (var range in text.Split(','))
        {
            var one = text[range];
            if (one.StartsWith(UsedAt, StringComparison.Ordinal) && one.Length > UsedAt.Length + 1
                && one[UsedAt.Length] is '<' or '>'
                && GoDuration.Parse(one[(UsedAt.Length + 1)..], s_most) is { } age)
            {
                result._any.Add((one[UsedAt.Length] == '<', age));
            }
        }

        return result;
    }

    /// <summary>Whether a snapshot that was used at that time satisfies it.</summary>
    public bool Holds(DateTimeOffset usedAt, DateTimeOffset now) =>
        _any.Exists(one => one.Below ? now - usedAt < one.Age : now - usedAt > one.Age);
}

/// <summary>That a snapshot keeps something while a condition holds.</summary>
internal readonly record struct ConditionalKeeper(Store.Resources.Resource Kept, Store.Resources.Resource Keeper, UseCondition Condition);

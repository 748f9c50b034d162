namespace ImageStore.Integration.Tests.Durability.Kills;

/// <summary>How long commands take, so that kills are spread over the whole of each.</summary>
internal sealed class Pace(Random random)
{
    private const double FirstGuess = 60;
    private const double Weight = 0.2;
    private const double Beyond = 1.1;
    private const double Spared = 0.12;

    private readonly Dictionary<string, double> _milliseconds = new(StringComparer.Ordinal);

    /// <summary>When a command is killed after its start, or null when it is let go on.</summary>
    /// <param name="kind">The command.</param>
    /// <param name="behind">The one that it waits for, or null.</param>
    public TimeSpan? Next(string kind, string? behind)
    {
        var length = Length(kind) + (behind is null ? 0 : Length(behind));
        return random.NextDouble() < Spared ? null : TimeSpan.FromMilliseconds(random.NextDouble() * Beyond * length);
    }

    /// <summary>Learns from a command that came to its end by itself.</summary>
    public void Learn(string kind, TimeSpan took) =>
        _milliseconds[kind] = (Length(kind) * (1 - Weight)) + (took.TotalMilliseconds * Weight);

    private double Length(string kind) => _milliseconds.GetValueOrDefault(kind, FirstGuess);
}

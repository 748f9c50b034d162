using ImageStore.Store.Errors;

namespace ImageStore.Store;

/// <summary>A change of labels: of those that are named, or of all at once.</summary>
public sealed class LabelUpdate
{
    private readonly IReadOnlyDictionary<string, string> _labels;
    private readonly bool _replaces;
    private readonly string? _kept;

    private LabelUpdate(IReadOnlyDictionary<string, string> labels, bool replaces, string? kept) => (_labels, _replaces, _kept) = (labels, replaces, kept);

    /// <summary>Sets labels, and removes those whose value is empty; all others stay.</summary>
    public static LabelUpdate Set(IReadOnlyDictionary<string, string> changes) => new(changes, replaces: false, kept: null);

    /// <summary>Has these labels be all; those whose value is empty are none.</summary>
    public static LabelUpdate Replace(IReadOnlyDictionary<string, string> labels) => new(labels, replaces: true, kept: null);

    /// <summary>The same, but <paramref name="label"/> stays as it is or as absent as it is, whatever was asked for.</summary>
    public LabelUpdate Keeping(string label) => new(_labels, _replaces, label);

    /// <summary>The labels that <paramref name="current"/> become.</summary>
    /// <exception cref="ImageStoreException">One is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public Dictionary<string, string> Apply(IReadOnlyDictionary<string, string> current)
    {
        ArgumentNullException.ThrowIfNull(current);
        var updated = Labels.Merge(_replaces ? Labels.None : current, _labels);
        if (_kept is null)
        {
            return updated;
        }

        updated.Remove(_kept);
        if (current.TryGetValue(_kept, out var value))
        {
            updated[_kept] = value;
        }

        return updated;
    }
}

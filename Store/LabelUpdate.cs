using ImageStore.Store.Errors;

namespace ImageStore.Store;

/// <summary>A change of labels: of those that are named, or of all at once.</summary>
public sealed class LabelUpdate
{
    private readonly IReadOnlyDictionary<string, string> _labels;
    private readonly bool _replaces;

    private LabelUpdate(IReadOnlyDictionary<string, string> labels, bool replaces) => (_labels, _replaces) = (labels, replaces);

    /// <summary>Sets labels, and removes those whose value is empty; all others stay.</summary>
    public static LabelUpdate Set(IReadOnlyDictionary<string, string> changes) => new(changes, replaces: false);

    /// <summary>Has these labels be all; those whose value is empty are none.</summary>
    public static LabelUpdate Replace(IReadOnlyDictionary<string, string> labels) => new(labels, replaces: true);

    /// <summary>The labels that <paramref name="current"/> become.</summary>
    /// <exception cref="ImageStoreException">One is malformed (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public Dictionary<string, string> Apply(IReadOnlyDictionary<string, string> current) =>
        Labels.Merge(_replaces ? Labels.None : current, _labels);
}

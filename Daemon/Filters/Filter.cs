using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Filters;

/// <summary>Tells a field of something that is listed.</summary>
/// <param name="path">The field's path, at least one name.</param>
/// <param name="value">Its value; empty where there is none.</param>
/// <returns>Whether there is such a field.</returns>
internal delegate bool FieldLookup(IReadOnlyList<string> path, out string value);

/// <summary>containerd's filters: of several, one has to match, and of one, all of its selectors.</summary>
internal sealed class Filter
{
    private const int MaxFilters = 4096;

    /// <summary>Matches all.</summary>
    public static Filter Any { get; } = new([]);

    private readonly IReadOnlyList<IReadOnlyList<Selector>> _alternatives;

    private Filter(IReadOnlyList<IReadOnlyList<Selector>> alternatives) => _alternatives = alternatives;

    /// <summary>Parses the filters of a request; none match all.</summary>
    /// <exception cref="ImageStoreException">One is malformed, or they are too many or too long (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static Filter Parse(IReadOnlyCollection<string> filters)
    {
        if (filters.Count > MaxFilters)
        {
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"There are {filters.Count} filters.", $"At most {MaxFilters} are read.");
        }

        List<IReadOnlyList<Selector>> alternatives = [];
        foreach (var text in filters)
        {
            if (text.Length == 0)
            {
                return Any;
            }

            alternatives.Add(new FilterParser(text).Parse());
        }

        return new Filter(alternatives);
    }

    /// <summary>Does it match what has these fields?</summary>
    public bool Matches(FieldLookup fields)
    {
        if (_alternatives.Count == 0)
        {
            return true;
        }

        foreach (var selectors in _alternatives)
        {
            if (All(selectors, fields))
            {
                return true;
            }
        }

        return false;
    }

    private static bool All(IReadOnlyList<Selector> selectors, FieldLookup fields)
    {
        foreach (var selector in selectors)
        {
            if (!selector.Matches(fields))
            {
                return false;
            }
        }

        return true;
    }
}

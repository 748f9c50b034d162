namespace ImageStore.Snapshotters.Layers;

/// <summary>What the hard links that wait come to: a link may point at another link that waits too.</summary>
internal sealed class LinkChains(IReadOnlyList<PendingLink> links)
{
    private readonly Dictionary<string, string> _targets = links.ToDictionary(link => link.Path, link => link.Target, StringComparer.Ordinal);

    /// <summary>The target that is no link that waits. Each step is walked once: a layer may have long chains.</summary>
    public string Final(string first)
    {
        var final = first;
        for (var steps = _targets.Count; _targets.TryGetValue(final, out var next); final = next)
        {
            if (steps-- == 0)
            {
                throw LayerFault.Corrupt($"the hard links of '{LayerFault.Show(final)}' point at each other.");
            }
        }

        for (var at = first; at != final;)
        {
            var next = _targets[at];
            _targets[at] = final;
            at = next;
        }

        return final;
    }
}

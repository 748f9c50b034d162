namespace ImageStore.Store.Metadata;

/// <summary>Values by key, ordered, of one moment. It never changes: a draft of it becomes the next one, and shares with it whatever stays.</summary>
/// <remarks>
/// Leaves of neighbouring keys under one index. A change copies a leaf and the index, and a walk over a hundred thousand
/// rows is one over arrays, where a tree would be a walk over as many nodes.
/// </remarks>
internal sealed class SortedRows<T>
{
    private readonly string[] _bounds;
    private readonly Leaf[] _leaves;

    private SortedRows(string[] bounds, Leaf[] leaves, int count) => (_bounds, _leaves, Count) = (bounds, leaves, count);

    /// <summary>No rows.</summary>
    public static SortedRows<T> Empty { get; } = new([string.Empty], [new Leaf(null)], 0);

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>The rows of <paramref name="rows"/>, which are ordered and of different keys.</summary>
    public static SortedRows<T> Of(IEnumerable<KeyValuePair<string, T>> rows)
    {
        var draft = Empty.Edit();
        foreach (var (key, value) in rows)
        {
            draft.Put(key, value);
        }

        return draft.Seal();
    }

    public bool TryGet(string key, out T? value) => LeafOf(_bounds, _bounds.Length, _leaves, key).TryGet(key, out value);

    /// <summary>The rows whose keys begin with <paramref name="prefix"/>, in order.</summary>
    public List<KeyValuePair<string, T>> WithPrefix(string prefix)
    {
        List<KeyValuePair<string, T>> found = prefix.Length == 0 ? new(Count) : [];
        Collect(_bounds, _bounds.Length, _leaves, prefix, found);
        return found;
    }

    public Draft Edit() => new(this);

    private static Leaf LeafOf(string[] bounds, int count, Leaf[] leaves, string key) => leaves[IndexOf(bounds, count, key)];

    /// <summary>The last leaf whose bound is not above <paramref name="key"/>; the first one's bound is below all.</summary>
    private static int IndexOf(string[] bounds, int count, string key)
    {
        var at = Search(bounds, count, key);
        return at < 0 ? ~at - 1 : at;
    }

    /// <summary>Where <paramref name="key"/> is, or the complement of where it would be.</summary>
    private static int Search(string[] keys, int count, string key)
    {
        var (low, high) = (0, count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = string.CompareOrdinal(keys[middle], key);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }

    private static void Collect(string[] bounds, int count, Leaf[] leaves, string prefix, List<KeyValuePair<string, T>> found)
    {
        for (var i = IndexOf(bounds, count, prefix); i < count; i++)
        {
            var leaf = leaves[i];
            var first = leaf.Find(prefix);
            for (var at = first < 0 ? ~first : first; at < leaf.Count; at++)
            {
                if (!leaf.Keys[at].StartsWith(prefix, StringComparison.Ordinal))
                {
                    return;
                }

                found.Add(KeyValuePair.Create(leaf.Keys[at], leaf.Values[at]));
            }
        }
    }

    /// <summary>Rows that are being changed, by one thread. Sealed, they are what they were at that moment.</summary>
    public sealed class Draft
    {
        private readonly object _owner = new();
        private string[] _bounds;
        private Leaf[] _leaves;
        private int _leafCount;
        private bool _isSealed;

        public Draft(SortedRows<T> rows)
        {
            _bounds = [.. rows._bounds, string.Empty];
            _leaves = [.. rows._leaves, rows._leaves[0]];
            (_leafCount, Count) = (rows._leaves.Length, rows.Count);
        }

        public int Count { get; private set; }

        public bool TryGet(string key, out T? value) => LeafOf(_bounds, _leafCount, _leaves, key).TryGet(key, out value);

        /// <inheritdoc cref="SortedRows{T}.WithPrefix"/>
        public List<KeyValuePair<string, T>> WithPrefix(string prefix)
        {
            List<KeyValuePair<string, T>> found = [];
            Collect(_bounds, _leafCount, _leaves, prefix, found);
            return found;
        }

        /// <summary>The rows from <paramref name="lower"/> on and before <paramref name="upper"/>, in order; null has no bound.</summary>
        public List<KeyValuePair<string, T>> Between(string? lower, string? upper)
        {
            List<KeyValuePair<string, T>> found = [];
            for (var i = lower is null ? 0 : IndexOf(_bounds, _leafCount, lower); i < _leafCount; i++)
            {
                var leaf = _leaves[i];
                var first = lower is null ? 0 : leaf.Find(lower);
                for (var at = first < 0 ? ~first : first; at < leaf.Count; at++)
                {
                    if (upper is not null && string.CompareOrdinal(leaf.Keys[at], upper) >= 0)
                    {
                        return found;
                    }

                    found.Add(KeyValuePair.Create(leaf.Keys[at], leaf.Values[at]));
                }
            }

            return found;
        }

        /// <summary>Sets a row; gives the value that it had.</summary>
        public T? Put(string key, T value)
        {
            var leaf = Own(IndexOf(_bounds, _leafCount, key), out var i);
            var at = leaf.Find(key);
            if (at >= 0)
            {
                var before = leaf.Values[at];
                leaf.Values[at] = value;
                return before;
            }

            if (leaf.Count == Leaf.Capacity)
            {
                Split(i);
                leaf = _leaves[IndexOf(_bounds, _leafCount, key)];
                at = leaf.Find(key);
            }

            leaf.Insert(~at, key, value);
            Count++;
            return default;
        }

        /// <summary>Removes a row; gives the value that it had.</summary>
        public T? Remove(string key)
        {
            if (LeafOf(_bounds, _leafCount, _leaves, key).Find(key) < 0)
            {
                return default;
            }

            var leaf = Own(IndexOf(_bounds, _leafCount, key), out var i);
            var at = leaf.Find(key);
            var before = leaf.Values[at];
            leaf.RemoveAt(at);
            Count--;
            if (leaf.Count == 0 && _leafCount > 1)
            {
                _bounds[1] = i == 0 ? string.Empty : _bounds[1];
                Drop(i);
            }
            else if (i + 1 < _leafCount && leaf.Count + _leaves[i + 1].Count <= Leaf.Capacity / 2)
            {
                leaf.Append(_leaves[i + 1]);
                Drop(i + 1);
            }

            return before;
        }

        /// <summary>The rows as they are now; the draft ends.</summary>
        public SortedRows<T> Seal()
        {
            _isSealed = true;
            return new SortedRows<T>(_bounds[.._leafCount], _leaves[.._leafCount], Count);
        }

        private Leaf Own(int index, out int i)
        {
            ObjectDisposedException.ThrowIf(_isSealed, this);
            i = index;
            return _leaves[i].Owner == _owner ? _leaves[i] : _leaves[i] = _leaves[i].CopyFor(_owner);
        }

        /// <summary>Halves a full leaf; the last one keeps most, since keys that grow come behind it.</summary>
        private void Split(int i)
        {
            var upper = _leaves[i].SplitFor(_owner, i == _leafCount - 1 ? Leaf.Capacity * 7 / 8 : Leaf.Capacity / 2);
            if (_leafCount == _leaves.Length)
            {
                Array.Resize(ref _bounds, _leafCount * 2);
                Array.Resize(ref _leaves, _leafCount * 2);
            }

            Array.Copy(_bounds, i + 1, _bounds, i + 2, _leafCount - i - 1);
            Array.Copy(_leaves, i + 1, _leaves, i + 2, _leafCount - i - 1);
            (_bounds[i + 1], _leaves[i + 1]) = (upper.Keys[0], upper);
            _leafCount++;
        }

        private void Drop(int i)
        {
            Array.Copy(_bounds, i + 1, _bounds, i, _leafCount - i - 1);
            Array.Copy(_leaves, i + 1, _leaves, i, _leafCount - i - 1);
            _leafCount--;
        }
    }

    /// <summary>Neighbouring rows; only the draft that made it changes it.</summary>
    private sealed class Leaf(object? owner)
    {
        public const int Capacity = 128;

        public object? Owner => owner;

        public string[] Keys { get; } = new string[Capacity];

        public T[] Values { get; } = new T[Capacity];

        public int Count { get; private set; }

        public int Find(string key) => Search(Keys, Count, key);

        public bool TryGet(string key, out T? value)
        {
            var at = Find(key);
            value = at < 0 ? default : Values[at];
            return at >= 0;
        }

        public void Insert(int at, string key, T value)
        {
            Array.Copy(Keys, at, Keys, at + 1, Count - at);
            Array.Copy(Values, at, Values, at + 1, Count - at);
            (Keys[at], Values[at]) = (key, value);
            Count++;
        }

        public void RemoveAt(int at)
        {
            Count--;
            Array.Copy(Keys, at + 1, Keys, at, Count - at);
            Array.Copy(Values, at + 1, Values, at, Count - at);
            Array.Clear(Keys, Count, 1);
            Array.Clear(Values, Count, 1);
        }

        public void Append(Leaf other)
        {
            other.Keys.AsSpan(0, other.Count).CopyTo(Keys.AsSpan(Count));
            other.Values.AsSpan(0, other.Count).CopyTo(Values.AsSpan(Count));
            Count += other.Count;
        }

        public Leaf CopyFor(object draft)
        {
            var copy = new Leaf(draft);
            copy.Append(this);
            return copy;
        }

        public Leaf SplitFor(object draft, int at)
        {
            var upper = new Leaf(draft);
            Keys.AsSpan(at, Count - at).CopyTo(upper.Keys);
            Values.AsSpan(at, Count - at).CopyTo(upper.Values);
            (upper.Count, Count) = (Count - at, at);
            Array.Clear(Keys, at, Capacity - at);
            Array.Clear(Values, at, Capacity - at);
            return upper;
        }
    }
}
